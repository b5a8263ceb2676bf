"""What counts as proof: which texts ask for more than a fingerprint holds, which joins read their own batches alone."""

import re

import pytest

from hims_pipeline.carry.batch_joins import joins_by_batch
from hims_pipeline.carry.fingerprints import COMMENT, UNPROVABLE
from hims_pipeline.settings import REPOSITORY

MACRO = re.compile(r"(?=\{% macro )")
REF = "{{ ref('dim_batch') }}"
ON = "on s.batch_id = b.batch_id and s.entity = b.entity"


@pytest.mark.parametrize(
    "text",
    [
        "select current_date", "select now() as n", "select random()", "select uuid()", "select nextval('s')",
        "from read_parquet('x.parquet')", "select * from 'x.csv'", "select * from glob('*')", "select getenv('HOME')",
        "select * from t using sample 5", "{{ env_var('HOME') }}", "{{ var('x') }}", "{{ run_started_at }}",
        "{% set found = run_query('select 1') %}", "{% call statement('x') %}", "{{ modules.datetime }}",
        "{{ graph.nodes }}", 'select * from "x.csv"', "select '--' || now()", "from duckdb_tables()",
        "{{ adapter.get_columns_in_relation(this) }}", "{{ invocation_id }}", "{{ flags.FULL_REFRESH }}",
        "{{ model.created_at }}", "{{ dbt_version }}", "SELECT CURRENT_TIMESTAMP",
    ],
)  # fmt: skip
def test_a_text_that_asks_for_more_than_is_known_proves_nothing(text: str) -> None:
    assert UNPROVABLE.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "select flags.break_id from flags", "{{ read_batches('a', 'rows', {}) }}", "from {{ read_inputs({}) }}",
        "{{ adapter.dispatch('read_files')(x) }}", "select nowhere, uuid, days from t\n -- now()",
        "{# run_query #} select 1", "select random_seed from seeds where name = 'from x'", 'from "warehouse"."t"',
    ],
)  # fmt: skip
def test_a_text_that_asks_for_nothing_else_is_provable(text: str) -> None:
    assert not UNPROVABLE.search(COMMENT.sub("", text))


@pytest.mark.parametrize(
    ("text", "by_batch"),
    [
        (f"from s\njoin {REF} as b {ON}", True),
        (f"from s\nleft join {REF} as b {ON}\nwhere true", True),
        (f"with b as (\n    select * from {REF}\n)\n\nselect b.universe from s\njoin b {ON}", True),
        (f"from {{{{ relation }}}}\njoin {REF} as b {ON}".replace("s.", "{{ relation }}."), True),
        (f"from s\njoin {REF} as b {ON} or true", False),
        (f"from s\njoin {REF} as b {ON}\n    and b.universe = s.universe or true", False),
        (f"from s\njoin {REF} as b on s.batch_id = b.batch_id", False),
        (f"from s\njoin {REF} as b on s.batch_id = t.batch_id and s.entity = b.entity", False),
        (f"from s\nfull join {REF} as b {ON}", False),
        (f"from s\nright join {REF} as b {ON}", False),
        (f"from s\njoin {REF} as b {ON}\nwhere x in (select universe from {REF})", False),
        (f"with b as (\n    select * from {REF}\n)\nselect * from s\njoin b {ON}\nwhere 1 < (select n from b)", False),
        (f"with b as (\n    select * from {REF}\n)\n\nselect * from s, b", False),
        (f"select count(*) from {REF}", False),
        ("select 1", False),
    ],
)  # fmt: skip
def test_only_a_join_by_batch_and_entity_reads_its_own_batches_alone(text: str, by_batch: bool) -> None:
    assert joins_by_batch([text], "dim_batch") is by_batch


def test_facts_and_estimates_look_up_their_own_batches_alone() -> None:
    """Otherwise each delivery would build everything anew: correct, and slow."""
    folder = REPOSITORY / "dbt_project"
    facts = sorted((folder / "models/conformed").glob("fct_*.sql"))
    texts = {path: COMMENT.sub("", path.read_text(encoding="utf-8")) for path in facts}
    reading = {path.stem: text for path, text in texts.items() if "ref('stg_batches')" in text}
    assert len(reading) > 5
    assert [name for name, text in reading.items() if not joins_by_batch([text], "stg_batches")] == []
    macros = [
        text for path in (folder / "macros").glob("*.sql") for text in MACRO.split(path.read_text(encoding="utf-8"))
    ]
    reading_too = [text for text in (COMMENT.sub("", one) for one in macros) if "ref('dim_batch')" in text]
    assert len(reading_too) > 1
    assert [text for text in reading_too if not joins_by_batch([text], "dim_batch")] == []
