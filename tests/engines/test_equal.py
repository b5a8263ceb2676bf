"""A small country built on Spark, on a cluster of two worker processes, from the accepted batches that DuckDB built it
from: every table equal, every test with the same verdict."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hims_pipeline import build as building
from hims_pipeline import spark
from hims_pipeline.carry.last_build import read_kept
from hims_pipeline.dbt import Finished
from hims_pipeline.settings import Settings
from tests.engines.cluster import start_cluster
from tests.engines.compare import compare_tables, list_tables
from tests.installation import Installation

pytestmark = pytest.mark.spark

# A census, a survey with strata and units, registers of persons with pseudonyms, daily passages.
SOURCES = ("rgph", "border_crossings", "hims_survey", "residence_cards", "work_authorisations")
SCALE = "0.01"  # of smaller ones the gate refuses the survey and the registers


@dataclass(frozen=True)
class Both:
    """An installation after a night on DuckDB, and a build of the same batches on Spark."""

    settings: Settings
    warehouse: Path
    build: building.Build
    finished: list[Finished]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    root = tmp_path_factory.mktemp("engines")
    here = Installation(root / "home")
    here.hims("run", "--samples", *(word for one in SOURCES for word in ("--only", one)), "--scale", SCALE)
    with start_cluster(root / "cluster") as (master, _):
        settings = replace(here.settings, spark_master=master)
        build = building.prepare(settings, "on-spark", full=True)
        assert {row["source"] for row in build.inputs()} >= set(SOURCES), "a source that is refused compares nothing"
        finished = spark.build_on_spark(settings, build, print)
    told = (root / "cluster/master/said.txt").read_text(errors="replace")
    assert told.count("Launching executor") >= 2, "both workers have had a part"
    yield Both(settings, next(settings.kept.glob("*.duckdb")), build, finished)
    building.discard_build(build.folder)


def test_every_table_is_equal(both: Both) -> None:
    compared, different = compare_tables(both.warehouse, both.build.tables)
    assert different == {}
    assert len(compared) > 100


def test_spark_builds_all_that_stands_before_disclosure_control(both: Both) -> None:
    nodes = json.loads((both.build.tree / "target/manifest.json").read_text(encoding="utf-8"))
    behind, waiting = set(), ["model.hims.ind_disclosed"]
    while waiting:
        behind.add(node := waiting.pop())
        waiting += set(nodes["child_map"][node]) - behind
    kinds = {name: node["config"]["materialized"] for name, node in nodes["nodes"].items()}
    built = {one.unique_id for one in both.finished}
    assert {name for name in kinds if name.startswith(("model.", "seed."))} - built == {
        name for name in behind if name.startswith("model.")
    }
    own, other = list_tables(both.warehouse, both.build.tables)
    assert other - own == set()


def test_every_test_has_the_same_verdict(both: Both) -> None:
    told = {one.unique_id: (one.status, one.failures) for one in both.finished if one.kind == "test"}
    kept = read_kept(both.settings)
    assert kept is not None
    assert told == {name: (kept.nodes[name]["status"], kept.nodes[name]["failures"]) for name in told}
    assert len(told) > 100
