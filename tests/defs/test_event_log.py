"""Connections to Dagster's event databases that stay open: what is stored is what Dagster's own way stores."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from hims_pipeline.defs.event_log import MOST_OPEN
from tests.defs import one_run
from tests.defs.one_run import counted, run_once


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    return tmp_path


def events(home: Path, run: str) -> list[str]:
    """Kinds of all events of a run, read by a process's own means."""
    with closing(sqlite3.connect(home / f"history/runs/{run}.db")) as con:
        return [kind for (kind,) in con.execute("select dagster_event_type from event_logs order by id")]


def test_the_same_events_stand_in_the_same_files(home) -> None:
    ours = run_once(str(home))
    theirs = subprocess.run(
        [sys.executable, one_run.__file__, str(home)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[-1]
    assert events(home, ours) == events(home, theirs) != []
    with closing(sqlite3.connect(home / "history/runs/index.db")) as con:
        checked = con.execute("select run_id, execution_status from asset_check_executions order by id").fetchall()
        tables = dict(con.execute("select run_id, count(*) from event_logs group by 1").fetchall())
    assert checked == [(ours, "SUCCEEDED"), (theirs, "SUCCEEDED")]
    assert tables[ours] == tables[theirs]


def test_a_run_opens_its_databases_once(home, monkeypatch) -> None:
    run_once(str(home))
    opened: list[str] = []
    connect = sqlite3.connect

    def note(database, *words, **more):
        opened.append(Path(str(database)).name)
        return connect(database, *words, **more)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", note)
    run = run_once(str(home))
    assert opened.count(f"{run}.db") == 1
    assert 0 < opened.count("index.db") <= 3  # one is kept; new ones look for tables, each once


def test_what_was_stored_survives_the_process(home) -> None:
    """Killed with connections open, nothing was closed or checkpointed."""
    told, tell = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=run_and_die, args=(str(home), tell))
    process.start()
    run = told.recv()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert events(home, run)[-1] == "PIPELINE_SUCCESS"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert instance.get_run_by_id(run).status is dg.DagsterRunStatus.SUCCESS


def run_and_die(home: str, tell) -> None:
    instance = dg.DagsterInstance.from_config(home)
    run = dg.materialize([counted], instance=instance).run_id
    tell.send(run)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_database_that_was_set_aside_meanwhile_is_made_anew(home) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        first = dg.materialize([counted], instance=instance).run_id
        for path in (home / "history/runs").glob("index.db*"):
            path.rename(path.with_name(f"{path.name}.spoilt"))
        second = dg.materialize([counted], instance=instance).run_id
        assert instance.all_logs(second)
    with closing(sqlite3.connect(home / "history/runs/index.db")) as con:
        runs = {run for (run,) in con.execute("select distinct run_id from event_logs")}
    assert runs == {second} != {first}


def test_a_forked_process_opens_its_own(home) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = dg.materialize([counted], instance=instance).run_id
        child = os.fork()
        if child == 0:
            instance.report_engine_event("from the child", run_id=run, job_name="x")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        instance.report_engine_event("from the parent", run_id=run, job_name="x")
    assert events(home, run)[-2:] == ["ENGINE_EVENT", "ENGINE_EVENT"]


def test_few_stay_open_and_none_after_the_end(home) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for _ in range(MOST_OPEN + 1):
            dg.materialize([counted], instance=instance)
        held = [path for path in Path("/proc/self/fd").iterdir() if str(home) in str(path.resolve())]
        assert len({path.resolve().name for path in held if path.resolve().suffix == ".db"}) <= MOST_OPEN + 2
    left = [path.resolve() for path in Path("/proc/self/fd").iterdir() if "history/runs/" in str(path.resolve())]
    assert [path for path in left if str(home) in str(path)] == []


def test_what_is_handed_over_together_stands_there_once_though_it_failed_halfway(home, monkeypatch) -> None:
    store, calls = SqliteEventLogStorage.store_event, []

    def fail_at_the_second(self, event):
        calls.append(event.dagster_event_type)
        if len(calls) == 2:
            raise OSError("no more today")
        return store(self, event)

    monkeypatch.setattr(SqliteEventLogStorage, "store_event", fail_at_the_second)
    run = run_once(str(home))
    kinds = events(home, run)
    assert kinds[:2] == ["ASSET_MATERIALIZATION_PLANNED", "ASSET_CHECK_EVALUATION_PLANNED"]
    assert kinds.count("ASSET_MATERIALIZATION_PLANNED") == kinds.count("ASSET_CHECK_EVALUATION_PLANNED") == 1
    assert calls[:2] == calls[2:4]  # the two together, and then each for itself
