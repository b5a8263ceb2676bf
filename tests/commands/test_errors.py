"""Whatever goes wrong, the command line prints one line that says what to do, and no value of the data."""

import sqlite3

import click
import duckdb
import pytest
from click.testing import CliRunner

from hims_pipeline.cli import PlainGroup, main
from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.settings import load_settings

VALUE = "Salma-4711"


def printed(error: BaseException, debug: str = "") -> str:
    @click.group(cls=PlainGroup)
    def group() -> None:
        pass

    @group.command()
    def fails() -> None:
        raise error

    done = CliRunner(env={"HIMS_DEBUG": debug}).invoke(group, ["fails"])
    assert done.exit_code == 1
    return done.output


class Wrapped(Exception):
    """As SQLAlchemy wraps the error of a driver."""

    def __init__(self, orig: Exception) -> None:
        super().__init__(f"while binding {VALUE}")
        self.orig = orig


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device", "/x/audit.jsonl"), "The disk is full: /x/audit.jsonl. Make room"),
        (PermissionError(13, "Permission denied", "/x/CURRENT"), "Permission denied: /x/CURRENT. Run as the user"),
        (OSError(5, "Input/output error", "/x/a.parquet"), "The disk failed to read or write: /x/a.parquet."),
        (OSError(30, "Read-only file system", "/x"), "The disk is mounted read-only: /x."),
        (NotADirectoryError(20, "Not a directory", "/x/y"), "Not a directory: /x/y."),
        (OSError(5, "", f"/x/identified/landing/s/p/{VALUE}.csv"), "The disk failed to read"),
        (MemoryError(), "There is not enough memory."),
        (duckdb.OutOfMemoryException(f"of {VALUE}"), "There is not enough memory."),
        (duckdb.IOException(f"{VALUE}: No space left on device"), "The disk is full."),
        (sqlite3.OperationalError("database or disk is full"), "The disk is full."),
        (Wrapped(sqlite3.OperationalError("database or disk is full")), "The disk is full."),
        (duckdb.ConversionException(f"Could not convert '{VALUE}'"), "A defect of ours: ConversionException"),
        (KeyError(VALUE), "A defect of ours: KeyError"),
        (Wrapped(ValueError(VALUE)), "A defect of ours: ValueError"),
        (HimsError("Do this."), "Do this."),
    ],
)  # fmt: skip
def test_an_error_is_one_line(error: BaseException, told: str) -> None:
    output = printed(error)
    assert output.startswith(f"Error: {told}")
    assert output.count("\n") == 1
    assert VALUE not in output


def test_an_inner_error_that_is_known_is_told() -> None:
    error = RuntimeError(VALUE)
    error.__cause__ = OSError(28, "No space left on device", "/x")
    assert explain(error).startswith("The disk is full: /x")


def test_a_developer_may_ask_for_the_trace() -> None:
    @click.group(cls=PlainGroup)
    def group() -> None:
        pass

    @group.command()
    def fails() -> None:
        raise KeyError("x")

    done = CliRunner(env={"HIMS_DEBUG": "1"}).invoke(group, ["fails"])
    assert isinstance(done.exception, KeyError)


@pytest.mark.parametrize("said", ["banana", "1KB", "0MB", "-1", "none", "80%", "800", "MB", "1e3MB", "124MB", "1 PB"])
def test_a_memory_limit_that_duckdb_cannot_work_with_is_refused(said: str) -> None:
    with pytest.raises(HimsError, match=f"HIMS_MEMORY_LIMIT is '{said}'"):
        load_settings({"HIMS_MEMORY_LIMIT": said})


@pytest.mark.parametrize("said", ["800MB", "125mb", "1.5 GB", "2GiB", " 900MB ", "500000KB", "0.2TB", "130000000B"])
def test_what_is_taken_as_a_memory_limit_duckdb_takes_too(said: str) -> None:
    limit = load_settings({"HIMS_MEMORY_LIMIT": said}).memory_limit
    with duckdb.connect(config={"memory_limit": limit}) as con:
        shown = con.execute("select current_setting('memory_limit')").fetchone()[0]
    assert shown.endswith(("MiB", "GiB"))


@pytest.mark.parametrize("said", ["0", "x", "-1", "1.5", "²", "100000", "1e1"])
def test_no_number_of_threads_is_refused(said: str) -> None:
    with pytest.raises(HimsError, match="HIMS_THREADS is"):
        load_settings({"HIMS_THREADS": said})


def test_empty_variables_are_unset() -> None:
    given = load_settings({"HIMS_THREADS": "", "HIMS_MEMORY_LIMIT": ""})
    assert (given.threads, given.memory_limit) == (2, "800MB")


def test_a_reason_of_bytes_that_are_no_utf8_is_refused_before_anything_is_done(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HIMS_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(main, ["release", "use", "r000001", "--reason", "caf\udce9"])
    assert done.exit_code == 2
    assert "no UTF-8" in done.output
    assert not (tmp_path / "home").exists()
    said = CliRunner().invoke(main, ["release", "use", "r000001", "--reason", " \u200b"])
    assert (said.exit_code, "says nothing" in said.output) == (2, True)


def test_a_home_that_is_a_file_is_told_before_anything_else(tmp_path) -> None:
    (tmp_path / "home").write_text("x")
    for words in (["status"], ["query", "select 1"], ["run"], ["release", "list"]):
        done = CliRunner(env={"HIMS_HOME": str(tmp_path / "home")}).invoke(main, words)
        assert done.exit_code == 1
        assert done.output == (
            f"Error: HIMS_HOME names {tmp_path}/home, which is not a folder. "
            "Name the installation's folder, or a new one.\n"
        )
