"""What a night costs when everything, one monthly file, or nothing changed, and against a plain script of the same SQL.

python -m benchmarks.incremental [SCALE] [SOURCE …]     `make bench-night`; the whole sample at 0.01 without arguments

(a) the first night, on which everything is built, packed and audited, beside the compiled SQL of all models run in
their order in one DuckDB connection, with one copy of what is published into another file; (b) a night with one new
monthly file, the third night, since on the second, the first that a release went before, all is decided anew about what
may be shown; (c) a quiet night. Stages are told by what the run prints when they begin. All in one run on one machine;
what it is stands in the first line.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from benchmarks.night import peak_bytes
from hims_pipeline import build as building
from hims_pipeline import intake
from hims_pipeline.lake import landing
from hims_pipeline.plain_file import read_json
from hims_pipeline.processes import start_bound
from hims_pipeline.release import tables
from hims_pipeline.settings import Settings, load_settings
from hims_pipeline.sql import connection, literal, quote
from hims_pipeline.staging import render
from hims_synthetic.samples import demo_deliveries

MONTHLY, LAST = "border_crossings", ("2024-03", "2024-06")  # the two between are broken ones of the sample
STAGES = {  # what is printed -> what begins
    "nodes of dbt have the inputs": "copying what is carried over",
    "dbt build": "dbt", "packing the public": "pack", "auditing in": "audit", "is published": "proof",
}  # fmt: skip


def hims(settings: Settings, *words: str) -> tuple[float, dict[str, float]]:
    """Run `hims …`; returns its seconds, and those of each stage."""
    command = [sys.executable, "-m", "hims_pipeline.cli", *words]
    started = time.perf_counter()
    stage, since, spent = "start", started, dict[str, float]()
    with subprocess.Popen(command, env=environment(settings), stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            found = next((name for mark, name in STAGES.items() if mark in line), None)
            if found and found != stage:
                now = time.perf_counter()
                spent[stage], stage, since = spent.get(stage, 0.0) + now - since, found, now
    if running.returncode:
        raise SystemExit(f"hims {' '.join(words)} ended with {running.returncode}")
    ended = time.perf_counter()
    return ended - started, spent | {stage: spent.get(stage, 0.0) + ended - since}


def environment(settings: Settings) -> dict[str, str]:
    """As nights have it: Python keeps its bytecode, whatever it does here."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"HIMS_HOME": str(settings.home), "HIMS_ENV": "dev", "PYTHONUNBUFFERED": "1"}


def behind_the_intake(stages: dict[str, float]) -> float:
    return sum(seconds for name, seconds in stages.items() if name != "start")


def plain_script_seconds(settings: Settings, folder: Path) -> float:
    """Seconds of the compiled SQL of all models in one connection, and of one copy of what is published."""
    made = building.prepare(settings, "plain-script", full=True)
    try:
        command = [*render.parsed_dbt(made.tree), "--quiet", "compile", "--project-dir", str(made.tree)]
        with start_bound(command, made.environment(settings)) as dbt:
            assert dbt.stdout is not None
            said = dbt.stdout.read()
            if dbt.wait():
                raise SystemExit(f"dbt compile failed:\n{said[-2000:]}")
        nodes = read_json(made.tree / render.MANIFEST)["nodes"]
        steps = list(_steps(made, nodes))
        target = folder / "warehouse.duckdb"
        started = time.perf_counter()
        with connection(settings, target, spill=made.folder / "spill") as con:
            for schema in sorted({node["schema"] for node in nodes.values() if node["resource_type"] != "test"}):
                con.execute(f"create schema if not exists {quote(schema)}")
            for relation, kind, code in steps:
                if kind == "python":
                    _run_python(con, relation, code)
                else:
                    con.execute(f"create {kind} {relation} as {code}")
        with connection(settings, spill=made.folder / "spill") as con:
            public = folder / "public.duckdb"
            tables.copy_schemas(con, target, public, tables.PUBLIC_SCHEMAS, lambda text: None)
        return time.perf_counter() - started
    finally:
        building.discard_build(made.folder)


def _steps(made: building.Build, nodes: dict) -> Iterator[tuple[str, str, str]]:
    """Relation, what it is (`table`, `view`, `python`) and its code, in an order in which all can be made."""
    graph = {
        name: {one for one in node["depends_on"].get("nodes", ()) if one in nodes}
        for name, node in nodes.items()
        if node["resource_type"] in ("model", "seed")
    }
    for name in TopologicalSorter(graph).static_order():
        node = nodes[name]
        relation = f"{quote(node['schema'])}.{quote(node['alias'])}"
        if node["resource_type"] == "seed":
            path = literal(made.tree / node["original_file_path"])
            yield relation, "table", f"from read_csv({path}, header = true, all_varchar = true)"
        elif node["config"]["materialized"] != "ephemeral":
            code = (made.target / "compiled/hims" / node["original_file_path"]).read_text(encoding="utf-8")
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            yield relation, "python" if node["language"] == "python" else kind, code


def _run_python(con: Any, relation: str, code: str) -> None:
    """Make the table of a model that dbt has compiled to Python."""
    module: dict[str, Any] = {}
    exec(code, module)  # noqa: S102  our own model
    made = module["model"](module["dbtObj"](lambda name: con.query(f"from {name}")), con)
    con.execute(f"create table {relation} as from made")
    del made


def put_all_but_months(settings: Settings, folder: Path, scale: float, only: tuple[str, ...]) -> dict[str, list[str]]:
    """Put the sample into landing as `hims run --samples` does, but for the last months; returns each month's files."""
    months: dict[str, list[str]] = {period: [] for period in LAST}
    for source, period, files in demo_deliveries(settings, folder, scale=scale, only=only):
        if source == MONTHLY and period in months:
            months[period] += map(str, files)
        else:
            landing.take_over(settings, intake.contract_of(settings, source), period, files, "listed")
    return months


def told(stages: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds:.1f}" for name, seconds in stages.items())


def main() -> None:
    scale, *sources = sys.argv[1:] or ["0.01"]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; sample at {scale}, {', '.join(sources) or 'all'}")
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({**os.environ, "HIMS_HOME": f"{folder}/home", "HIMS_ENV": "dev"})
        sent = put_all_but_months(settings, Path(folder, "sample"), float(scale), tuple(sources))
        full, stages = hims(settings, "run")
        print(f"(a) everything built, packed and audited: {full:.1f} s ({told(stages)})")
        plain = plain_script_seconds(settings, Path(folder))
        whole = behind_the_intake(stages)
        print(f"    the same SQL by a plain script: {plain:.1f} s; {whole / plain:.2f} x (at most 1.5)")
        for period, files in sent.items():
            hims(settings, "deliver", "--source", MONTHLY, "--period", period, *files)
            month, parts = hims(settings, "run")
            if "dbt" not in parts:
                raise SystemExit(f"{period} was not taken in, so nothing was built")
        share = f"{100 * behind_the_intake(parts) / whole:.0f} % of (a) behind the intake (at most 10)"
        print(f"(b) one monthly file: {month:.1f} s ({told(parts)}); {share}")
        quiet = [sys.executable, "-m", "hims_pipeline.cli", "run"]
        peak, seconds = peak_bytes(quiet, environment(settings))
        print(f"(c) a quiet night: {seconds:.1f} s, {peak / 1e6:.0f} MB (under 10 s and 400 MB)")
        for path in (settings.home, *settings.home.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(settings.home)


if __name__ == "__main__":
    main()
