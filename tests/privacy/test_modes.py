"""Who may open what: an installation is closed from its first moment, and an open one is closed again."""

import grp
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.file_modes import close_home, find_too_open, give_to_staff, make_home
from hims_pipeline.privacy.notice import MARK
from hims_pipeline.settings import REPOSITORY, Settings

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another account")
# What an account can open below a folder, told by trying.
TRY = """
import os, sys
root = sys.argv[1]
tried = sys.stdin.read().splitlines()
for folder, _, files in os.walk(root):
    tried += [os.path.join(folder, name) for name in files]
for path in sorted(set(tried)):
    try:
        open(path, "rb").close()
        print(os.path.relpath(path, root))
    except OSError:
        pass
"""


def readable_by_another(home: Path) -> set[str]:
    """Files below a folder that `nobody` can open, whether or not it can list them."""
    everything = "\n".join(str(path) for path in home.rglob("*") if path.is_file())
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", TRY, str(home)]
    done = subprocess.run(command, input=everything, capture_output=True, text=True, check=True, cwd="/")
    return set(done.stdout.splitlines())


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")


@pytest.fixture
def reachable(brief_night):
    """The installation after a night, linked to where every account can come."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    shutil.copytree(brief_night[0].home, folder / "home", copy_function=os.link)
    yield folder / "home"
    shutil.rmtree(folder)


@AS_ROOT
def test_another_account_reads_the_public_release_and_nothing_else(reachable) -> None:
    found = readable_by_another(reachable)
    assert {name for name in found if not name.startswith("releases/r000001/public/")} == {"releases/CURRENT"}
    assert "releases/r000001/public/warehouse.duckdb" in found


def test_a_night_leaves_nothing_open(brief_night) -> None:
    assert list(find_too_open(brief_night[0].settings)) == []
    ours = [path for path in brief_night[0].home.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    closed = ("releases/r000001/public/", "releases/CURRENT", "rendered/")  # the last: copies of public code, closed
    assert [p for p in ours if not str(p.relative_to(brief_night[0].home)).startswith(closed)] == []


def test_no_release_holds_what_joins_registers(brief_night) -> None:
    for part in ("public", "staff"):
        file = brief_night[0].home / f"releases/r000001/{part}/warehouse.duckdb"
        with duckdb.connect(str(file), read_only=True) as con:
            named = "select count(*) from duckdb_columns() where column_name = 'study_id' or table_name = ?"
            assert con.execute(named, ["fct_person_links"]).fetchall() == [(0,)]


def test_every_line_says_that_the_key_is_public(brief_night) -> None:
    here, printed = brief_night
    lines = [line for line in printed.splitlines() if line[2:3] == ":" and line[5:6] == ":" and line[:2].isdigit()]
    assert len(lines) > 20
    assert [line for line in lines if MARK not in line] == []
    told = here.hims("status").splitlines()
    assert all(MARK in line for line in told if line.startswith(("accepted", "refused", "superseded")))
    assert any(MARK in line for line in told)


def test_folders_are_made_closed_whatever_the_umask(settings) -> None:
    before = os.umask(0)
    try:
        make_home(settings)
    finally:
        os.umask(before)
    assert list(find_too_open(settings)) == []
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o711
    assert stat.S_IMODE(settings.links.stat().st_mode) == 0o700


LEFT_OPEN = (
    "validated/rgph/2024/a/persons.parquet", "audit.jsonl", "releases/r000001/staff/w", "mine/a", "identified/x",
    "releases/r000001/public/w", "releases/CURRENT", "releases/.trash-r0/w",
)  # fmt: skip


@AS_ROOT
def test_an_open_installation_is_closed_again_and_told(settings) -> None:
    before = os.umask(0o022)
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    old = replace(settings, home=folder / "home")
    try:
        for place in LEFT_OPEN:
            (old.home / place).parent.mkdir(parents=True, exist_ok=True)
            (old.home / place).write_text("x")
        (old.home / "private").mkdir(mode=0o500)
        assert "validated/rgph/2024/a/persons.parquet" in readable_by_another(old.home)
        told = close_home(old)
        assert readable_by_another(old.home) == {"releases/r000001/public/w", "releases/CURRENT"}
    finally:
        os.umask(before)
    assert any(f"{old.home}/validated: it had mode 0755" in line for line in told)
    assert close_home(old) == []
    assert stat.S_IMODE((old.home / "private").stat().st_mode) == 0o500, "nothing is widened"
    assert (old.home / "validated/rgph/2024/a/persons.parquet").stat().st_mode & 0o077 == 0
    shutil.rmtree(folder)


def test_the_staff_reads_its_part_where_there_is_a_group(settings, tmp_path) -> None:
    staff = tmp_path / "staff"
    (staff / "verdicts").mkdir(parents=True)
    (staff / "verdicts/one.json").write_text("{}")
    give_to_staff(settings, staff)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (staff, staff / "verdicts/one.json")] == [0o700, 0o400]
    own = replace(settings, staff_group=grp.getgrgid(os.getegid()).gr_name)
    give_to_staff(own, staff)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (staff, staff / "verdicts/one.json")] == [0o750, 0o440]
    with pytest.raises(HimsError, match="no group"):
        give_to_staff(replace(settings, staff_group="no_such_group"), staff)


def test_each_way_in_closes_the_umask(tmp_path) -> None:
    """A command, the definitions that Dagster loads, the audit of a release: what each makes is ours alone."""
    code = "import os, sys; os.umask(0); {}; print(oct(os.umask(0)))"
    ways = (
        "from click.testing import CliRunner; from hims_pipeline.cli import main; CliRunner().invoke(main, ['status'])",
        "from hims_pipeline import settings; settings.apply_environment(settings.load_settings())",
        "from pathlib import Path; from hims_pipeline.release import audit; audit.audit_release = lambda *a: {{}};"
        " audit.main(Path(sys.argv[1]))",
    )
    env = os.environ | {"HIMS_HOME": str(tmp_path / "home"), "HIMS_ENV": "test"}
    for way in ways:
        command = [sys.executable, "-c", code.format(way.replace("{{}}", "{}")), str(tmp_path)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "0o77"
    assert "apply_environment(settings)" in (REPOSITORY / "hims_pipeline/definitions.py").read_text(encoding="utf-8")
