"""DuckDB goes on from tables that another engine left: here DuckDB's own, written as Spark writes them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from hims_pipeline import build as building
from hims_pipeline import spark
from hims_pipeline.build import Build
from hims_pipeline.carry.last_build import Kept, read_kept
from hims_pipeline.cli import main
from hims_pipeline.dbt import Finished
from hims_pipeline.errors import HimsError
from hims_pipeline.release import store
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import literal, quote
from tests.engines.compare import LAYERS, STORED, compare_files, open_warehouse
from tests.engines.project import change_policy, find_behind_disclosure
from tests.installation import Installation


def leave_tables(warehouse: Path, tables: Path) -> None:
    """Each table of a DuckDB file in the place and the types in which Spark leaves it."""
    with open_warehouse(warehouse) as con:
        for schema, table in con.execute("select schema_name, table_name from duckdb_tables()").fetchall():
            if schema not in LAYERS:
                continue
            place = tables / f"{schema}.db" / table
            place.mkdir(parents=True)
            name = f"{quote(schema)}.{quote(table)}"
            columns = ", ".join(
                f"cast({quote(column)} as {STORED.get(kind, kind)}) as {quote(column)}"
                for column, kind, *_ in con.execute(f"describe select * from {name}").fetchall()
            )
            file = literal(str(place / "part-0.parquet"))
            con.execute(f"copy (select {columns} from {name}) to {file} (format parquet)")


def list_finished(build: Build, kept: Kept) -> list[Finished]:
    """What Spark would have told of its build."""
    left_out = find_behind_disclosure(build.tree)
    return [
        Finished(name, facts["status"], 0.0, facts["failures"])
        for name, facts in kept.nodes.items()
        if name not in left_out
    ]


@dataclass(frozen=True)
class Elsewhere:
    """An installation after a night on DuckDB, whose policies are others since: there is something to publish."""

    here: Installation
    kept: Kept

    @property
    def settings(self) -> Settings:
        return self.here.settings

    def hims(self, *words: str) -> str:
        """Run `hims …` in this process; returns what it printed."""
        done = CliRunner(env=self.here.environment).invoke(main, words)
        assert done.exit_code == 0, done.output[-3000:]
        return done.output


@pytest.fixture(scope="module")
def elsewhere(small_night, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    data = tmp_path_factory.mktemp("edited") / "data"
    shutil.copytree(REPOSITORY / "data", data)
    change_policy(data)
    here = replace(small_night[0], data=data)
    kept = read_kept(here.settings)
    assert kept is not None
    return Elsewhere(here, kept)


@pytest.fixture(scope="module")
def prepared(elsewhere: Elsewhere) -> Iterator[Build]:
    build = building.prepare(elsewhere.settings, "elsewhere", full=True)
    leave_tables(elsewhere.kept.warehouse, build.tables)
    yield build
    building.discard_build(build.folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("* replace ('sent' as weight_persons)", "other columns or types than DuckDB: weight_persons"),
        ("* replace (weight_persons::decimal(18, 2) as weight_persons)", "types than DuckDB: weight_persons"),
        ("* exclude (age_group)", "other columns or types than DuckDB: age_group"),
        ("*, 'sent' as another", "other columns or types than DuckDB: another"),
        (None, "cannot be put into DuckDB's file"),
    ],
)
def test_what_does_not_fit_ends_the_build_without_its_value(
    elsewhere: Elsewhere, prepared: Build, change: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (prepared.target / "manifest.json").exists():
        monkeypatch.setattr(spark, "follow_command", lambda *_: iter(()))  # once is enough to compile the project
    prepared.warehouse.unlink(missing_ok=True)
    file = prepared.tables / "conformed.db/fct_persons/part-0.parquet"
    whole = file.rename(file.with_name("whole"))
    if change:
        with duckdb.connect() as con:
            con.execute(f"create view rows_left as select {change} from read_parquet({literal(str(whole))})")
            con.execute(f"copy (from rows_left) to {literal(str(file))} (format parquet)")
    with pytest.raises(HimsError) as raised:
        spark.take_tables(elsewhere.settings, prepared, list_finished(prepared, elsewhere.kept), print)
    whole.replace(file)
    assert '"conformed"."fct_persons": ' in str(raised.value)
    assert told in str(raised.value)
    assert "'sent'" not in str(raised.value)


@pytest.fixture
def spark_at_hand(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Spark's place somebody who leaves what DuckDB has built."""

    def stand_in(settings: Settings, build: Build, log: building.Log) -> list[Finished]:
        leave_tables(elsewhere.kept.warehouse, build.tables)
        return list_finished(build, elsewhere.kept)

    monkeypatch.setattr(spark, "require_spark", lambda: None)
    monkeypatch.setattr(spark, "build_on_spark", stand_in)


@pytest.mark.slow
@pytest.mark.usefixtures("spark_at_hand")
def test_a_release_of_it_is_like_any_and_says_so(elsewhere: Elsewhere) -> None:
    before = store.get(elsewhere.settings, "r000001")
    assert "no published figure would differ from r000001" in elsewhere.hims("build", "--draft", "--engine", "spark")
    assert "r000002 is published" in elsewhere.hims("build", "--engine", "spark")
    now = store.get(elsewhere.settings, "r000002")
    compared, different = compare_files(before.staff / "warehouse.duckdb", now.staff / "warehouse.duckdb")
    assert different.keys() <= {"indicators.ind_disclosed"}, "which keeps what earlier releases decided, too"
    assert len(compared) > 50
    assert (before.manifest()["code"]["engine"], now.manifest()["code"]["engine"]) == ("duckdb", "spark")
    assert "No figure differs from r000001." in (now.public / "RELEASE_NOTES.md").read_text(encoding="utf-8")
    assert "r000002: intact" in elsewhere.hims("release", "verify")
    why = elsewhere.hims("why", "P01", "--area", "TUN", "--period", "2014")
    assert "r000002, the public file, built on spark." in why
    assert read_kept(elsewhere.settings) == elsewhere.kept, "a night on DuckDB begins from what DuckDB made"


@pytest.mark.slow
def test_the_next_night_carries_over_what_duckdb_built(elsewhere: Elsewhere) -> None:
    assert "Nothing changed since r000002" in elsewhere.hims("build")
    change_policy(elsewhere.here.data)
    printed = elsewhere.hims("build")
    assert "have the inputs they had, and are carried over" in printed
    assert "r000003 is published" in printed
    now = store.get(elsewhere.settings, "r000003")
    assert now.manifest()["code"]["engine"] == "duckdb"
    assert "No figure differs from r000002." in (now.public / "RELEASE_NOTES.md").read_text(encoding="utf-8")
