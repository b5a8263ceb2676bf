"""Reading releases: `connect()` any number of times, within limits, and `hims query` as people and programs read it."""

import csv
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

import hims_pipeline
from hims_pipeline.cli import main
from hims_pipeline.commands.answers import escape_formula
from hims_pipeline.errors import ReleaseError
from hims_pipeline.lake.files import make_removable, write_json
from hims_pipeline.release import proof, spill
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.stopping import STOPPED

ROWS = 400_000
INTERPRETER = [sys.executable, "-c"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """Two releases of one large table each."""
    home = tmp_path_factory.mktemp("reading")
    for release in ("r000001", "r000002"):
        for part in ("public", "staff"):
            folder = home / "releases" / release / part
            folder.mkdir(parents=True)
            with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
                con.execute("create schema published")
                con.execute(f"create table published.t as select range as i, '{release}' as r from range({ROWS})")
            facts = dict.fromkeys(proof.NEEDED_OF[part], "none") | {"release": release, "part": part, "files": {}}
            told = {"published_at": "today", "contains_synthetic_data": False}
            write_json(folder / "manifest.json", facts | told)
    (home / "releases/CURRENT").write_text("r000002\n")
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")


@pytest.fixture
def hims(settings):
    """`hims query …`, as the command line runs it."""

    def run(*words: str) -> Result:
        return CliRunner(env={"HIMS_HOME": str(settings.home)}).invoke(main, ["query", *words])

    return run


def test_any_number_of_connections_from_many_threads(settings) -> None:
    failures: list[BaseException] = []

    def read(number: int) -> None:
        own = replace(settings, memory_limit="300MB") if number % 7 == 0 else settings
        try:
            for step in range(3):
                release = ("r000001", None)[(number + step) % 2]
                con = connect(release, staff=step % 3 == 0, settings=own)
                assert con.execute("select count(*), any_value(r) from t").fetchall() == [(ROWS, release or "r000002")]
                con.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_no_connection_has_an_optimiser_that_gives_wrong_rows(settings) -> None:
    with connect(settings=settings) as con:
        assert con.execute("select current_setting('disabled_optimizers')").fetchall() == [("common_subplan",)]


def test_open_connections_stand_side_by_side(settings) -> None:
    held = [connect(settings=settings) for _ in range(20)]
    assert [con.execute("select max(i) from t").fetchall() for con in held] == [[(ROWS - 1,)]] * 20
    con = held[0].cursor()
    assert con.execute("select max(i) from published.t").fetchall() == [(ROWS - 1,)]


def test_a_file_that_is_open_in_another_way_is_read_all_the_same(settings) -> None:
    path = settings.releases / "r000002/public/warehouse.duckdb"
    with duckdb.connect(str(path), read_only=True):
        con = connect(settings=settings)
        assert con.execute("select count(*) from t").fetchall() == [(ROWS,)]
        for sql in ("set enable_external_access = true", "attach '/etc/passwd' as x", "create table t2 as from t"):
            with pytest.raises(duckdb.Error):
                con.execute(sql)


FORKED = """
import os, sys, hims_pipeline
con = hims_pipeline.connect()
assert con.execute("select count(*) from t").fetchall()
if os.fork() == 0:
    print(hims_pipeline.connect().execute("select count(*) from t").fetchall(), flush=True)
    os._exit(0)
os.wait()
print(con.execute("select max(i) from t").fetchall(), hims_pipeline.connect().execute("select 1").fetchall())
"""


def test_a_forked_process_opens_its_own(settings) -> None:
    env = os.environ | {"HIMS_HOME": str(settings.home)}
    done = subprocess.run([*INTERPRETER, FORKED], env=env, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
    assert done.stdout.splitlines() == [f"[({ROWS},)]", f"[({ROWS - 1},)] [(1,)]"], done.stderr


SPILLING = """
__file__ = "a program's"  # without, DuckDB takes it for a person's session and draws a progress bar
import sys, time, hims_pipeline
con = hims_pipeline.connect()
con.execute("create temp table x as select i, repeat('x', 100) || hash(i) as s from t, range(8)")
print("spilled", flush=True)
time.sleep(30)
"""


def test_a_large_query_spills_into_a_closed_folder_of_its_own(settings, tmp_path) -> None:
    env = os.environ | {"HIMS_HOME": str(settings.home), "HIMS_MEMORY_LIMIT": "125MB", "TMPDIR": str(tmp_path)}
    running = subprocess.Popen([*INTERPRETER, SPILLING], env=env, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert running.stdout is not None
    assert running.stdout.readline() == "spilled\n"
    (folder,) = tmp_path.glob("hims-reader-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path for path in folder.iterdir() if path.name != spill.ALIVE], "nothing was spilled"
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    found = {path.name for path in (settings.releases / "r000002").rglob("*")}
    assert found == {"public", "staff", "warehouse.duckdb", "manifest.json"}
    done = subprocess.run(
        [*INTERPRETER, "import hims_pipeline; hims_pipeline.connect().close()"], env=env, check=True, cwd=REPOSITORY
    )
    assert done.returncode == 0
    assert list(tmp_path.glob("hims-reader-*")) == []


def test_temporary_files_never_lie_among_the_releases(settings, tmp_path) -> None:
    inside = settings.releases / "tmp"
    inside.mkdir()
    env = os.environ | {"HIMS_HOME": str(settings.home), "TMPDIR": str(inside)}
    code = "import hims_pipeline; hims_pipeline.connect()"
    done = subprocess.run([*INTERPRETER, code], env=env, capture_output=True, text=True, cwd=REPOSITORY)
    inside.rmdir()
    assert "Set TMPDIR to another folder" in done.stderr


OTHER_ACCOUNT = """
import os, sys, hims_pipeline.release.reader, duckdb  # imported first: the interpreter may be root's own
os.setgroups([]); os.setgid(65534); os.setuid(65534)
from hims_pipeline.errors import HimsError
print(hims_pipeline.connect().execute("select count(*) from t").fetchall())
try:
    hims_pipeline.connect(staff=True)
except HimsError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_a_reader_needs_no_key_and_no_right_to_write(settings, tmp_path) -> None:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        shutil.copytree(settings.home, home)
        for folder in (home.parent, home, *home.rglob("*")):
            folder.chmod(0o700 if folder.name == "staff" else 0o555)
        env = os.environ | {"HIMS_HOME": str(home), "HIMS_ENV": "prod", "HIMS_KEY_FILE": str(tmp_path / "none")}
        done = subprocess.run([*INTERPRETER, OTHER_ACCOUNT], env=env, capture_output=True, text=True, cwd=REPOSITORY)
        assert done.stdout.splitlines()[:1] == [f"[({ROWS},)]"], done.stderr
        assert "may not read the staff file" in done.stdout
        make_removable(Path(place))


def test_a_table_prints_what_is_there(hims) -> None:
    sql = "select 'a [b] c' as x, '[/x]' as \"[bold]y\", chr(27) || '[31mred' as z, 'تونس' as w, ':smile:' as v"
    out = hims(sql).stdout
    assert all(text in out for text in ("a [b] c", "[/x]", "[bold]y", r"\x1b[31mred", "تونس", ":smile:"))
    assert "\x1b" not in out
    wide = hims(f"select {', '.join(f'{n} as column_{n}' for n in range(60))}").stdout
    assert "column_59  59" in wide


def test_csv_is_safe_in_a_spreadsheet_and_whole_for_programs(hims) -> None:
    sql = """select '=1+1' as a, '@x' as b, -1.50::decimal(5,2) as c, '-9' as d, null as e, '' as f, 'x;=cmd' as g,
        'say "hi", you' as h, true as i, chr(9) || 'x' as j, date '2024-01-31' as k, ['=1'] as l, '-2+3' as "=m" """
    out = hims(sql, "--format", "csv").stdout
    assert ',,"",' in out  # NULL is nothing, an empty text is one
    header, row = csv.reader(io.StringIO(out))
    assert header[-1] == "'=m"
    expected = ["'=1+1", "'@x", "-1.50", "-9", "", "", "x;'=cmd", 'say "hi", you', "true", "'\tx", "2024-01-31"]
    assert row == [*expected, '["=1"]', "'-2+3"]
    assert hims("select 'é'", "--format", "csv", "--bom").stdout.startswith("\ufeff")


@pytest.mark.parametrize("text", ["=A1", "+A1", "-A1", "@A1", "\t=A1", "\r=A1", "\n=A1", "  =A1", "＝A1", "a\n=A1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert "'" in escape_formula(text)
    assert escape_formula(text).replace("'", "") == text
    assert escape_formula(text)[0] not in "=+-@\t\r\n"


@pytest.mark.parametrize("text", ["", "-9", "+216", "a=b", "a - b", "1990-2000", "تونس", "-1.5e3"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert escape_formula(text) == text


def test_json_keeps_every_kind_of_value(hims) -> None:
    sql = """select date '2024-01-31' as d, 12345678901234567890.10::decimal(38,2) as x, 'nan'::double as n, 1 as a,
        '-inf'::double as i, 2 as a, ''::blob || '\\x00\\xff'::blob as b, [1, null] as l, {'k': 'é'} as s, null as z,
        map([1], ['v']) as m, timestamp '2024-01-31 10:00:00' as t, chr(155) as c from range(2)"""
    out = hims(sql, "--format", "json").stdout
    rows = json.loads(out, parse_float=str)
    assert len(rows) == 2
    assert rows[0] == {
        "d": "2024-01-31", "x": "12345678901234567890.10", "n": "NaN", "a": 1, "i": "-Infinity", "a_1": 2, "b": "00ff",
        "l": [1, None], "s": {"k": "é"}, "z": None, "m": {"1": "v"}, "t": "2024-01-31T10:00:00", "c": "\x9b",
    }  # fmt: skip
    assert "\x9b" not in out
    assert json.loads(hims("from t where i < 0", "--format", "json").stdout) == []


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("selec 1", "syntax error"),
        ("from nowhere", "does not exist"),
        ("from read_csv('/etc/passwd')", "files, the network and extensions are closed"),
        ("copy t to '/tmp/x.csv'", "COPY is not a question"),
        ("attach 'x.duckdb'", "ATTACH is not a question"),
        ("install httpfs", "is not a question"),
        ("set threads = 9", "SET is not a question"),
        ("create table x as from t", "CREATE is not a question"),
        ("select 1; select 2", "holds 2 statements"),
        ("-- nothing", "is empty"),
        ("from conformed.fct_migrants", "--staff"),
        ("select error(chr(27) || '[2J')", r"\x1b[2J"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_line(hims, sql: str, words: str) -> None:
    done = hims(sql)
    assert done.exit_code == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.usefixtures("heard_signals")
def test_a_closed_pipe_and_an_interrupt_are_quiet(settings) -> None:
    env = os.environ | {"HIMS_HOME": str(settings.home), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "hims_pipeline.cli", "query"]
    kept = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": env}
    running = subprocess.Popen([*command, "from t", "--format", "csv"], **kept)
    assert running.stdout.readline() == "i,r\n"
    running.stdout.close()
    assert running.stderr.read().splitlines() == ["r000002 · published today"]
    running.wait()
    endless = "select i from range(1000000000000) as r (i) where i < 3000000 or hash(i) = 3"
    running = subprocess.Popen([*command, endless, "--format", "csv"], **kept)
    assert running.stdout.readline() == "i\n"  # it is at work
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=20)
    assert "Traceback" not in errors
    assert STOPPED in errors
    assert running.returncode == 130


def test_connect_is_what_the_package_offers() -> None:
    assert hims_pipeline.connect is connect
    with pytest.raises(ReleaseError, match="no release"):
        connect("r000009", settings=Settings(REPOSITORY, REPOSITORY, REPOSITORY, REPOSITORY / "nowhere"))
