"""A small country built on Spark, on a cluster of two worker processes, from the accepted batches that DuckDB built it
from: every table equal, every test with the same verdict, and the release that DuckDB makes of it the same."""

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hims_pipeline import build as building
from hims_pipeline import spark
from hims_pipeline.carry.last_build import read_kept
from hims_pipeline.dbt import Finished, run_dbt
from hims_pipeline.release import compare, store
from hims_pipeline.release.publish import publish
from hims_pipeline.settings import REPOSITORY, Settings
from tests.engines.cluster import start_cluster
from tests.engines.compare import compare_files, compare_tables, list_tables
from tests.engines.project import change_policy, find_behind_disclosure
from tests.installation import Installation

pytestmark = pytest.mark.spark

# A census, a survey with strata and units, registers of persons with pseudonyms, daily passages.
SOURCES = ("rgph", "border_crossings", "hims_survey", "residence_cards", "work_authorisations")
SCALE = "0.01"  # of smaller ones the gate refuses the survey and the registers


class InParts(Installation):
    """One in which a long entity is several files of its batch, as in a whole country."""

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "tests.engines.in_parts", *words]


@dataclass(frozen=True)
class Both:
    """An installation after a night on DuckDB, and a build of the same batches on Spark."""

    settings: Settings
    warehouse: Path
    build: building.Build
    finished: list[Finished]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation after a night on DuckDB, whose policies are others since: there is something to publish."""
    root = tmp_path_factory.mktemp("night")
    shutil.copytree(REPOSITORY / "data", root / "data")
    here = InParts(root / "home", data=root / "data")
    here.hims("run", "--samples", *(word for one in SOURCES for word in ("--only", one)), "--scale", SCALE)
    change_policy(here.data)
    return here


@pytest.fixture(scope="module")
def both(night: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("cluster")
    with start_cluster(folder) as (master, _):
        settings = replace(night.settings, spark_master=master)
        build = building.prepare(settings, "on-spark", full=True)
        assert {row["source"] for row in build.inputs()} >= set(SOURCES), "a source that is refused compares nothing"
        parts = Counter((row["batch_id"], row["entity"]) for row in build.inputs())
        assert max(parts.values()) > 1, "a long entity is files of a batch, not one"
        finished = spark.build_on_spark(settings, build, print)
    told = (folder / "master/said.txt").read_text(errors="replace")
    assert told.count("Launching executor") >= 2, "both workers have had a part"
    yield Both(settings, next(settings.kept.glob("*.duckdb")), build, finished)
    building.discard_build(build.folder)


def test_every_table_is_equal(both: Both) -> None:
    compared, different = compare_tables(both.warehouse, both.build.tables)
    assert different == {}
    assert len(compared) > 100


def test_spark_builds_all_that_stands_before_disclosure_control(both: Both) -> None:
    nodes = json.loads((both.build.tree / "target/manifest.json").read_text(encoding="utf-8"))["nodes"]
    built = {one.unique_id for one in both.finished}
    assert {name for name in nodes if name.startswith(("model.", "seed."))} - built == {
        name for name in find_behind_disclosure(both.build.tree) if name.startswith("model.")
    }
    own, other = list_tables(both.warehouse, both.build.tables)
    assert other - own == set()


def test_every_test_has_the_same_verdict(both: Both) -> None:
    told = {one.unique_id: (one.status, one.failures) for one in both.finished if one.kind == "test"}
    kept = read_kept(both.settings)
    assert kept is not None
    assert told == {name: (kept.nodes[name]["status"], kept.nodes[name]["failures"]) for name in told}
    assert len(told) > 100


def test_duckdb_makes_the_same_release_of_it(both: Both) -> None:
    """Disclosure control, what is published and every node's proof, from Spark's rows. The build is gone afterwards."""
    before = store.get(both.settings, "r000001")
    spark.take_tables(both.settings, both.build, both.finished, print)
    run_dbt(both.settings, both.build, print)
    now = publish(both.settings, both.build, print)
    assert (now.id, now.manifest()["code"]["engine"]) == ("r000002", "spark")
    assert store.verify_release(both.settings, now) == []
    files = [one.staff / "warehouse.duckdb" for one in (before, now)]
    compared, different = compare_files(*files)
    assert different.keys() <= {"indicators.ind_disclosed"}, "which keeps what earlier releases decided, too"
    assert len(compared) > 50
    assert compare.find_differences(both.settings, *files) == []
    kept = read_kept(both.settings)
    assert kept is not None
    assert kept.warehouse == both.warehouse, "a night on DuckDB begins from what DuckDB made"


def test_a_worker_killed_in_the_middle_changes_no_table(night: Installation, tmp_path: Path) -> None:
    """The other one does anew what it had, and what it was at."""
    killed = []

    def kill_worker(text: str) -> None:
        if "conformed.fct_persons " in text:
            worker.kill()
            killed.append(worker.wait())

    with start_cluster(tmp_path) as (master, (worker, _)):
        settings = replace(night.settings, spark_master=master)
        build = building.prepare(settings, "killed", full=True)
        try:
            spark.build_on_spark(settings, build, kill_worker, ["+a01_foreign_citizens_resident"])
            compared, different = compare_tables(next(settings.kept.glob("*.duckdb")), build.tables)
            assert {"conformed.fct_persons", "indicators.a01_foreign_citizens_resident"} <= set(compared)
            assert different == {}
        finally:
            building.discard_build(build.folder)
    assert killed
