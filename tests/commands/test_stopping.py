"""What is stopped from outside says so, ends with the code that shells know, and leaves nothing half made."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.readers.guard import guard
from hims_pipeline.stopping import STOPPED, exit_code, note_signals
from tests.installation import Installation

pytestmark = pytest.mark.usefixtures("heard_signals")
STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
LONG = "select sum(a.range * b.range) from range(200000) a, range(4000) b"


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


@pytest.mark.parametrize(("how", "code"), STOPS)
def test_a_command_that_is_stopped_says_so_and_shows_no_trace(here, how: signal.Signals, code: int) -> None:
    with (
        installation_lock(here.settings, "a test"),
        subprocess.Popen(
            here.command("build"), env=here.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running,
    ):
        assert running.stdout is not None
        assert any("waiting for process" in line for line in running.stdout)
        running.send_signal(how)
        printed = running.communicate(timeout=60)[0]
    assert (running.returncode, printed.strip()) == (code, STOPPED)


def test_a_delivery_that_is_stopped_leaves_nothing(here, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("hims_pipeline.commands.start.apply_environment", lambda settings: None)
    monkeypatch.setenv("HIMS_HOME", str(here.home))
    copy_file = landing.copy_file

    def stop_behind(*words, **options):
        copied = copy_file(*words, **options)
        os.kill(os.getpid(), signal.SIGTERM)
        return copied

    monkeypatch.setattr(landing, "copy_file", stop_behind)
    sent = tmp_path / "crossings.csv"
    sent.write_text("a\n", encoding="utf-8")
    done = CliRunner().invoke(main, ["deliver", str(sent), "--source", "border_crossings", "--period", "2024-01"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (143, STOPPED)
    assert [path for path in here.settings.landing.rglob("*") if path.is_file() or ".incoming" in path.name] == []
    assert landing.deliveries(here.settings) == []


def test_a_reader_that_is_stopped_in_a_query_refuses_nothing(here) -> None:
    """DuckDB makes an error of the interruption, which would be the file's fault."""

    def read() -> None:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with closing(duckdb.connect()) as con:
            con.execute(LONG)

    with pytest.raises(KeyboardInterrupt):
        guard(here.settings, "reading", read)
    assert not (here.settings.identified / "failures").exists()


def test_a_signal_of_a_command_before_is_not_that_of_the_next() -> None:
    note_signals()
    for sent in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), sent)
            time.sleep(1)
        if sent is signal.SIGINT:
            note_signals()
    assert exit_code() == 143
