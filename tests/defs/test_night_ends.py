"""Nights that go wrong, through Dagster and the command line: red, non-zero, with the reason; the old release stays."""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner, Result

from hims_pipeline import build, intake
from hims_pipeline.cli import main
from hims_pipeline.defs.instance import open_instance, set_spoilt_aside
from hims_pipeline.defs.plain import quiet_history
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import landing
from hims_pipeline.release import store
from hims_pipeline.staging import render
from hims_pipeline.stopping import STOPPED
from hims_pipeline.watch import nights
from tests.installation import Installation
from tests.northland import drop, south_rows

VALUE = "Salma-4711"  # as if it stood in a delivery
SOURCE = "southland_count"


@pytest.fixture(scope="module")
def before(northland_night, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One release is out, and one of its batches was withdrawn since: tonight there is something to build."""
    here = replace(northland_night[0], home=tmp_path_factory.mktemp("before") / "home")
    shutil.copytree(northland_night[0].home, here.home)
    batch = next(one.batch for one in intake.states(here.settings) if one.batch.startswith(f"{SOURCE}/2023"))
    intake.withdraw(here.settings, batch, "the file of another year")
    return here


@pytest.fixture
def night(before: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """An installation of the test's own, in this process's environment while the test lasts."""
    here = replace(before, home=tmp_path / "home")
    shutil.copytree(before.home, here.home)
    kept = dict(os.environ)
    os.environ.update({k: v for k, v in here.environment.items() if k.startswith("HIMS_")})
    yield here
    os.environ.clear()
    os.environ.update(kept)


def hims(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def last_run(here: Installation) -> dg.DagsterRunStatus:
    with dg.DagsterInstance.from_config(str(here.settings.dagster_home)) as instance:
        return next(iter(instance.get_runs(limit=1))).status


def assert_red(here: Installation, done: Result, reason: str, code: int = 1) -> None:
    assert done.exit_code == code, done.output
    assert reason in done.output
    assert "Traceback" not in done.output
    assert last_run(here) is dg.DagsterRunStatus.FAILURE
    assert store.current_release(here.settings).id == "r000001"
    assert [one.id for one in store.releases(here.settings)] == ["r000001"]
    assert list(here.settings.build.iterdir()) == []  # its space is free at once


def test_a_night_whose_dbt_dies_is_red_and_shows_no_figures(night, stand_in) -> None:
    stand_in("start('model.hims.dim_area'); os.kill(os.getpid(), signal.SIGKILL)")
    done = hims("run")
    assert_red(night, done, "SIGKILL")
    assert "The release r000001 of " in done.output
    assert "it does not hold tonight's deliveries" in done.output
    assert "P01" not in done.output  # a figure of the old release would look like tonight's


def test_a_night_that_is_stopped_while_dbt_builds_says_so(night, stand_in) -> None:
    stand_in("start('model.hims.dim_area'); os.kill(os.getppid(), signal.SIGTERM); import time; time.sleep(60)")
    done = hims("run")
    assert_red(night, done, STOPPED, 143)
    assert "Interrupted" not in done.output
    assert nights.nights(night.settings)[-1].reasons[0] == STOPPED


def test_a_night_that_is_stopped_while_a_file_is_read_refuses_nobody(night, monkeypatch, tmp_path) -> None:
    """It ends there, and does not go on to the build without that delivery."""
    copy = tmp_path / "south_2024.csv"
    copy.write_text(south_rows(54), encoding="utf-8")
    landing.take_over(night.settings, intake.contract_of(night.settings, SOURCE), "2024", [copy])

    def stop_in_a_query(*_):
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with closing(duckdb.connect()) as con:
            con.execute("select sum(a.range * b.range) from range(200000) a, range(20000) b")

    monkeypatch.setattr("hims_pipeline.readers.read_entity", stop_in_a_query)
    done = hims("run")
    assert_red(night, done, STOPPED, 130)
    assert "dbt build" not in done.output
    (state,) = [one.state for one in intake.states(night.settings) if one.batch.startswith(f"{SOURCE}/2024")]
    assert state == "pending"


def test_a_failure_of_ours_over_one_delivery_leaves_the_night_going(night, monkeypatch, tmp_path) -> None:
    """The others are taken in, the build is reached; the run is red, and what was raised is not told."""
    settings, taken_in = night.settings, intake.take_in
    contract = intake.contract_of(settings, SOURCE)
    for period in ("2024", "2025"):
        copy = tmp_path / f"south_{period}.csv"
        copy.write_text(south_rows(int(period) - 1970), encoding="utf-8")
        landing.take_over(settings, contract, period, [copy])

    def fail_once(settings, delivery, log):
        if delivery.period == "2024":
            raise RuntimeError(f"Could not convert {VALUE}")
        return taken_in(settings, delivery, log)

    monkeypatch.setattr(intake, "take_in", fail_once)
    monkeypatch.setattr(render, "parsed_dbt", lambda tree: ["/bin/false"])
    done = hims("run")
    assert_red(night, done, f"{SOURCE}/2024")
    assert "A defect of ours: RuntimeError" in done.output
    assert "dbt ended with code 1 and left no results" in done.output  # so it was reached
    states = {one.batch.rsplit("/", 1)[0]: one.state for one in intake.states(settings)}
    assert states[f"{SOURCE}/2024"] == "pending"
    assert states[f"{SOURCE}/2025"] != "pending"
    assert VALUE not in done.output
    assert [path for path in night.home.rglob("*") if path.is_file() and VALUE.encode() in path.read_bytes()] == []


def test_a_night_that_could_not_take_a_drop_over_is_red(night, monkeypatch) -> None:
    """It is told and left; the others are built; once the disk takes it, it is no failure any more."""

    def fail(*_) -> None:
        raise OSError(28, "No space left on device")

    drop(night, SOURCE, "2024", "south.csv", south_rows(41))
    monkeypatch.setattr(landing, "_copy", fail)
    monkeypatch.setattr(render, "parsed_dbt", lambda tree: ["/bin/false"])
    done = hims("run")
    assert_red(night, done, "landing cannot take the files over: No space left on device. It stays in landing")
    assert "dbt ended with code 1 and left no results" in done.output  # so it was reached
    monkeypatch.undo()
    assert [one.period for one in intake.take_over_dropped(night.settings)[0]] == ["2024"]
    assert not [one for one in intake.problems(night.settings) if "landing cannot take" in one]


@pytest.mark.parametrize("how", ["no database", "a page", "no file"])
def test_a_spoilt_database_of_dagster_is_set_aside_and_stops_nothing(night, how: str) -> None:
    settings = night.settings
    path = settings.dagster_home / "history/runs.db"
    other = next(one for one in (settings.dagster_home / "history/runs").glob("*.db") if one.name != "index.db")
    content = path.read_bytes()
    damaged = {"no database": b"no database" * 1000, "a page": content[:4096] + b"\xff" * (len(content) - 4096)}
    path.unlink()
    path.write_bytes(damaged[how]) if how in damaged else path.mkdir()
    other.write_bytes(b"no database")
    assert hims("status").exit_code == 0
    assert hims("release", "use", "r000001", "--reason", "a test").exit_code == 0
    assert hims("query", "from v_indicator_values limit 1").exit_code == 0
    with pytest.raises(HimsError, match=r"\.db is spoilt .* Move it away"), open_instance(settings):
        pass
    told = "\n".join(set_spoilt_aside(settings))
    assert f"Dagster's database {path} was spoilt" in told
    assert f"Dagster's database {other} was spoilt" in told
    with open_instance(settings) as instance:
        assert instance.get_runs() == []
    assert len(list(path.parent.rglob("*.spoilt-*"))) == 2
    assert set_spoilt_aside(settings) == []


def test_events_that_dagster_cannot_write_are_one_line(capsys) -> None:
    with quiet_history():
        for number in range(3):
            sys.stderr.write(f"Exception while writing logger call to event log: [SQL: INSERT {number}] {VALUE}\n")
        sys.stderr.write("something else\n")
    assert capsys.readouterr().err.splitlines() == [
        "Dagster's history cannot be written; what follows of this run is in none.",
        "something else",
    ]


def test_a_full_disk_is_told_before_anything_is_done(night, monkeypatch) -> None:
    monkeypatch.setattr(build.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 0))
    done = hims("run")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith(f"Error: The disk of {night.home} has 0 MB left")
    assert hims("status").exit_code == 0


def test_a_disk_that_fills_up_is_one_line(night, monkeypatch) -> None:
    def full(settings):
        raise OSError(28, "No space left on device", str(settings.home / "x"))

    monkeypatch.setattr("hims_pipeline.commands.runs.prepare_instance", full)
    done = hims("run")
    assert done.exit_code == 1
    (told,) = [line for line in done.output.splitlines() if not line.startswith("PUBLIC KEY")]
    assert told.startswith(f"Error: The disk is full: {night.home}/x. Make room and run again.")


def test_a_disk_that_fills_up_is_no_spoilt_database(night, monkeypatch) -> None:
    nothing_left = shutil._ntuple_diskusage(10**9, 10**9, 0)
    monkeypatch.setattr(build, "require_room", lambda settings: None)
    monkeypatch.setattr("hims_pipeline.commands.runs.require_room", lambda settings: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: nothing_left)
    done = hims("run")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith(f"Error: The disk is full: {night.settings.dagster_home}.")
