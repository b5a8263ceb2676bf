"""A warehouse small enough to be built twice in a few seconds, with all that a large one has: two sources, facts that
look their batches up, indicators, their union, what is published, a view, code lists, tests of each kind. dbt is the
real one, in this process; the macros that open files and look up batches are those of the project."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from hims_pipeline import build as building
from hims_pipeline.dbt import build_command, finish_build
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.seal import write_sealed
from hims_pipeline.parsed_dbt import load_parsed
from hims_pipeline.settings import REPOSITORY, Settings, export_environment
from hims_pipeline.sql import literal
from hims_pipeline.staging import render

OURS = REPOSITORY / "dbt_project"
TAKEN = (
    "dbt_project.yml", "profiles.yml", "macros/dialect.sql", "macros/reading.sql", "macros/facts.sql",
    "macros/schemas.sql", "models/groups.yml", "models/staging/stg_batches.sql", "models/conformed/dim_batch.sql",
)  # fmt: skip
STAGED = """-- {{ source('validated', 'SOURCE__rows') }}
select
    cast(_source as varchar) as source, cast('rows' as varchar) as entity, cast(_period as varchar) as period,
    cast(_batch as varchar) as batch_id, cast(_layout as varchar) as layout, cast(_line as bigint) as record_no,
    cast("code" as varchar) as code, cast("n" as bigint) as n
from ({{ read_batches('SOURCE', 'rows', {'code': 'varchar', 'n': 'bigint'}) }}) as sent
"""
ESTIMATE = """select 'NAME' as indicator, facts.code, batches.time_period, batches.universe,
    {{ weighed('sum(n)') }} as obs_value
from {{ ref('FACT') }} as facts
join {{ ref('dim_batch') }} as batches on facts.batch_id = batches.batch_id and facts.entity = batches.entity
group by all
"""
IN_TWO_STEPS = """with sent as (
    select * from {{ ref('feed_others') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
)

select sent.source, sent.entity, sent.period, sent.batch_id, batches.universe, sent.code, sent.n
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
"""
UNIT_TEST = """unit_tests:
  - name: sums_by_code
    model: ind_counts
    given:
      - {input: "ref('fct_counts')", rows: [{batch_id: b, entity: rows, code: x, n: 2}]}
      - {input: "ref('dim_batch')", rows: [{batch_id: b, entity: rows, time_period: "2020", universe: u}]}
    expect: {rows: [{indicator: counts, code: x}]}
"""
FILES = {
    "models/staging/stg_a__rows.sql": STAGED.replace("SOURCE", "a"),
    "models/staging/stg_b__rows.sql": STAGED.replace("SOURCE", "b"),
    "models/staging/feed_counts.sql": "select * from {{ ref('stg_a__rows') }}",
    "models/staging/feed_others.sql": "select * from {{ ref('stg_b__rows') }}",
    "models/conformed/fct_counts.sql": "{{ fact_as_fed('counts', ['code', 'n']) }}",
    "models/conformed/fct_others.sql": IN_TWO_STEPS,
    "models/indicators/ind_counts.sql": ESTIMATE.replace("NAME", "counts").replace("FACT", "fct_counts"),
    "models/indicators/ind_others.sql": ESTIMATE.replace("NAME", "others").replace("FACT", "fct_others"),
    "models/indicators/ind_values.sql": "{% for name in indicators() %}select * from {{ ref(name) }}"
    "{{ ' union all ' if not loop.last }}{% endfor %}",
    "models/published/indicator_value.sql": "select v.*, codes.label from {{ ref('ind_values') }} as v\n"
    "left join {{ ref('codes') }} as codes on v.code = codes.code",
    "models/published/v_values.sql": "{{ config(materialized='view') }} select * from {{ ref('indicator_value') }}",
    "models/staging/sources.yml": "sources: [{name: validated, tables: [{name: a__rows}, {name: b__rows}]}]\n",
    "models/models.yml": "models:\n  - name: fct_counts\n    columns: [{name: code, data_tests: [not_null]}]\n"
    "  - name: indicator_value\n    columns: [{name: code, data_tests: [not_null]}]\n" + UNIT_TEST,
    "macros/weighed.sql": "{% macro weighed(what) %}1 * {{ what }}{% endmacro %}",
    "macros/lists.sql": "{% macro indicators() %}{{ return(['ind_counts', 'ind_others']) }}{% endmacro %}",
    "seeds/codes.csv": "code,label\nx,The first\ny,The second\n",
    "seeds/names.csv": "name\nsomebody\n",
    "tests/labels_are_known.sql": "select * from {{ ref('fct_others') }} where n < 0",
    "tests/of_a_past_day.sql": "select * from {{ ref('codes') }} where current_date < date '2000-01-01'",
}
BATCH: dict[str, Any] = {
    "entity": "rows", "layout": "", "freq": "A", "period_start_date": "2020-01-01", "period_end_date": "2020-12-31",
    "vintage": "_Z", "data_kind": "synthetic", "ref_country": "XNL", "universe": "u", "duration_rule": "12M",
    "measure_type": "stock", "reference_point": "_Z", "design_kind": "census", "expand_to_persons": None,
    "sampling_fraction": None, "design_fallback": None, "lonely_units": None, "error_level": None, "error_slope": None,
    "error_smallest": None, "error_largest": None, "window_years": None,
    "set_aside_share": 0.0,
}  # fmt: skip

_parsed: dict[str, Path] = {}


@dataclass
class World:
    """What a warehouse is made of, before it is written down.

    Attributes:
        sent: (source, period) -> rows of (code, n).
        universes: source -> what its contract says.
    """

    settings: Settings
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    sent: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)
    universes: dict[str, str] = field(default_factory=lambda: {"a": "u", "b": "w"})
    runs: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """The build's inputs; their files are written where they are not yet."""
        found = []
        for (source, period), sent in sorted(self.sent.items()):
            batch = f"{source}/{period}/{hashlib.sha256(json.dumps(sent).encode()).hexdigest()[:12]}"
            path = self.settings.validated / batch / "rows.parquet"
            if not path.exists():
                path.parent.mkdir(parents=True)
                values = ", ".join(f"({literal(code)}, {n}, {line})" for line, (code, n) in enumerate(sent, 1))
                with duckdb.connect() as con:
                    con.execute(f"copy (from (values {values}) t (code, n, _line)) to {literal(path)} (format parquet)")
            about = {"source": source, "period": period, "batch_id": batch, "universe": self.universes[source]}
            found.append(BATCH | about | {"path": str(path), "sha256": sha256_of(path)})
        return found

    def tree(self) -> Path:
        """The project of now, parsed and sealed."""
        taken = [(OURS / name).read_bytes() for name in TAKEN]
        name = hashlib.sha256(json.dumps(self.files).encode() + b"".join(taken)).hexdigest()[:16]
        tree = self.settings.rendered / name
        if not tree.exists() and name in _parsed and _parsed[name].exists():  # by another test: parsing takes a while
            shutil.copytree(_parsed[name], tree)
        if not tree.exists():
            for path in TAKEN:
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(OURS / path, tree / path)
            for path, text in self.files.items():
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).write_text(text, encoding="utf-8")
            with environment(render.dbt_environment(self.settings, tree, tree)):
                invoke(["parse", "--project-dir", str(tree)])
            for path in tree.glob("target/*"):
                if path not in (tree / render.MANIFEST, tree / render.PARSED):
                    path.unlink() if path.is_file() else shutil.rmtree(path)
            shutil.rmtree(tree / "logs", ignore_errors=True)
            (tree / "warehouse.duckdb").unlink(missing_ok=True)
            write_sealed(self.settings, tree / render.TREE, "tree", {"state": name, "files": render._hashes(tree)})
            _parsed[name] = tree
        return tree

    @contextmanager
    def prepared(self, *, full: bool) -> Iterator[tuple[building.Build, list[str]]]:
        """A build ready for dbt, and what was told."""
        self.runs += 1
        rows, tree, told = self.rows(), self.tree(), list[str]()
        with (
            patch.object(building, "input_rows", lambda settings: rows),
            patch.object(building, "inputs_sha256", lambda settings, found: "inputs"),
            patch.object(building, "require_sources", lambda settings, present: None),
            patch.object(building, "require_fresh", lambda settings, counting: None),
            patch.object(building, "verify_inputs", lambda settings, found: None),  # no intake wrote their verdicts
            patch.object(render, "ensure_rendered", lambda settings, log: tree),
        ):
            made = building.prepare(self.settings, f"run-{self.runs}", told.append, full=full)
            try:
                yield made, told
            finally:
                building.discard_build(made.folder)

    def run_dbt(self, made: building.Build) -> None:
        _, _, _, parsed, *words = build_command(self.settings, made)
        with environment(made.environment(self.settings)):
            invoke(words, load_parsed(Path(parsed), made.tree))

    def build(self, *, full: bool = False, keep_it: bool = True) -> tuple[dict[str, str], list[str]]:
        """Build as a night does; returns table -> content hash, and the nodes that dbt was told to build."""
        with self.prepared(full=full) as (made, told):
            self.told = told
            self.run_dbt(made)
            finish_build(self.settings, made, keep_it=keep_it)
            nodes = json.loads((made.folder / "build.json").read_text(encoding="utf-8"))["nodes"]
            ran = json.loads(made.results.read_text(encoding="utf-8"))["results"]
        hashes = {name: f"{one['rows']} {one['content_hash']}" for name, one in nodes.items() if "content_hash" in one}
        return hashes, sorted(one["unique_id"] for one in ran)


@contextmanager
def environment(env: dict[str, str]) -> Iterator[None]:
    """dbt in this process reads what its own process would get."""
    with patch.dict(os.environ):
        export_environment(env)
        yield


def invoke(words: list[str], parsed: Any = None) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import reset_metadata_vars

    reset_metadata_vars()
    done = dbtRunner(parsed).invoke(["--quiet", "--no-print", *words])
    DuckDBConnectionManager.close_all_connections()
    assert done.success, done.exception or [one.message for one in done.result if one.status not in ("success", "pass")]
