"""A build on Spark: the profile's target `spark`, on the rendered tree and the list of inputs that any build has.

    build/<run>/tables/<schema>.db/<table>/    a table as Parquet files

Spark builds and tests all that stands before disclosure control, which is a program over DuckDB. What it made is then
put into DuckDB's file, in the types that DuckDB gives the same models, and DuckDB goes on: disclosure control,
what is published, packing and the audit. Not here: what the engines say differently (`dbt_project/macros/dialect.sql`),
Spark's settings (`dbt_project/profiles.yml`).
"""

import importlib.util
import shutil
import sys
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from hims_pipeline.build import Build, Log, take_nodes
from hims_pipeline.dbt import Finished, follow_command
from hims_pipeline.errors import HimsError
from hims_pipeline.plain_file import read_json
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, quote, read_parquet
from hims_pipeline.staging import render
from hims_pipeline.staging.inputs import verify_inputs

PROGRAM = Path(__file__).with_name("spark_dbt.py")
LEFT_OUT = "ind_disclosed+"  # disclosure control and what reads it, in dbt's syntax
# DuckDB's type -> what it reads of Spark's Parquet, where that is another by its nature.
STORED = {"UUID": "VARCHAR", "HUGEINT": "DECIMAL(38,0)"}
TAKEN = ("reference", "staging", "conformed", "indicators")  # what is published has contracts, and DuckDB makes it


def require_spark() -> None:
    """
    Raises:
        HimsError: the packages of the extra `spark` are not installed, or there is no Java to run Spark.
    """
    if any(importlib.util.find_spec(name) is None for name in ("pyspark", "dbt.adapters.spark")):
        raise HimsError(
            "Spark is not installed here: `pip install --require-hashes --no-deps -r requirements-spark.lock` adds it."
        )
    if shutil.which("java") is None:
        raise HimsError("Spark needs Java 17, and there is none on the PATH (Debian: openjdk-17-jre-headless).")


def build_on_spark(settings: Settings, build: Build, log: Log, select: list[str] | None = None) -> list[Finished]:
    """Build and test on Spark what stands before disclosure control, or a part of it; returns what dbt did.

    Args:
        select: names of models in dbt's syntax; all without it.

    Raises:
        HimsError: Spark is not installed; a model or test failed, says which; dbt died or left no results.
        Damaged: an input is not what was accepted.
    """
    require_spark()
    command = [sys.executable, "-I", str(PROGRAM), "build", "--target", "spark", "--project-dir", str(build.tree)]
    chosen = ["--select", *select] if select else []
    command += [*chosen, "--exclude", LEFT_OUT, "--indirect-selection", "buildable"]
    finished = list(follow_command(settings, build, command, log))
    verify_inputs(settings, build.inputs())
    return finished


def take_tables(settings: Settings, build: Build, finished: list[Finished], log: Log) -> None:
    """Put what Spark made into DuckDB's file, each model as DuckDB types it, and note it in the build's plan as what is
    not built again.

    Raises:
        HimsError: dbt cannot compile the project, or a table of Spark's is missing, cannot be read or has other columns
            or types than DuckDB's.
    """
    log("putting what Spark made into DuckDB's file")
    nodes = _compile_models(settings, build)
    done = {one.unique_id: one for one in finished}
    taken = {name: node for name, node in nodes.items() if name in done and _is_taken(node, nodes)}
    reads = {name: taken.keys() & set(node["depends_on"].get("nodes", ())) for name, node in taken.items()}
    with connection(settings, build.warehouse, spill=build.folder / "spill") as con:
        for name in TopologicalSorter(reads).static_order():
            if taken[name]["resource_type"] in ("model", "seed"):
                _take_table(con, taken[name], build.tables)
    verdicts = {name: {"status": done[name].status, "failures": done[name].failures} for name in taken}
    take_nodes(settings, build, verdicts, "spark")


def _compile_models(settings: Settings, build: Build) -> dict[str, dict[str, Any]]:
    """dbt's nodes, models that Spark builds with the SQL that DuckDB would run."""
    command = [*render.parsed_dbt(build.tree), "compile", "--project-dir", str(build.tree)]
    command += ["--select", "resource_type:model", "--exclude", LEFT_OUT]
    for _ in follow_command(settings, build, command, lambda text: None):
        pass
    manifest = read_json(build.target / "manifest.json")
    return {**manifest["nodes"], **manifest["unit_tests"]}


def _is_taken(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a seed or model stands before what is published, or a test reads such ones alone."""
    if node["resource_type"] in ("test", "unit_test"):
        return all(nodes[one]["schema"] in TAKEN for one in node["depends_on"]["nodes"] if one in nodes)
    return node["schema"] in TAKEN


def _take_table(con: Any, node: Mapping[str, Any], tables: Path) -> None:
    schema, alias = node["schema"], node["alias"]
    place = f"{quote(schema)}.{quote(alias)}"
    con.execute(f"create schema if not exists {quote(schema)}")
    if node["config"]["materialized"] == "view":
        con.execute(f"create view {place} as {node['compiled_code']}")
        return
    if node["resource_type"] == "seed":
        typed = node["config"]["column_types"].items()
        query = f"select {', '.join(f'cast(null as {kind}) as {quote(name)}' for name, kind in typed)}"
    else:
        query = node["compiled_code"]
    wanted = _read_columns(con, query)
    try:
        rows = read_parquet(sorted((tables / f"{schema}.db" / alias).glob("*.parquet")))
        made = _read_columns(con, f"select * from {rows}")
        others = made.keys() - wanted.keys()
        others |= {name for name, kind in wanted.items() if made.get(name) not in (kind, STORED.get(kind, kind))}
        if others:
            raise HimsError(f"{place}: Spark made other columns or types than DuckDB: {', '.join(sorted(others))}.")
        columns = ", ".join(f"cast({quote(name)} as {kind}) as {quote(name)}" for name, kind in wanted.items())
        con.execute(f"create table {place} as select {columns} from {rows}")
    except duckdb.Error as error:
        kind = f"{type(error).__name__}; its text may quote data, and is not told"
        raise HimsError(f"{place}: what Spark made cannot be put into DuckDB's file ({kind}).") from None


def _read_columns(con: Any, query: str) -> dict[str, str]:
    """Column -> type, of a query that is not run."""
    return {name: kind for name, kind, *_ in con.execute(f"describe {query}").fetchall()}
