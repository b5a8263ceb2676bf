"""The installation's Dagster instance, opened so that a spoilt file of it is named. It holds the history of runs and no
data of ours."""

import errno
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg

from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.settings import Settings

MAGIC = b"SQLite format 3\0"
SHARED = ("runs.db", "index.db", "schedules.db")  # read by every run; the others are of one run each
ROOM = 1_000_000  # bytes that SQLite's journals take at least
LOSS = "The history of runs is lost with it, no data and no release: those do not lie there."


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance.

    Raises:
        HimsError: its configuration or one of its databases is spoilt, names the file; or the disk is full.
    """
    _refuse_spoilt(settings)
    try:
        instance = dg.DagsterInstance.from_config(str(settings.dagster_home))
    except dg.DagsterError as error:
        raise HimsError(
            f"{settings.dagster_home / 'dagster.yaml'} does not configure a Dagster instance ({type(error).__name__}). "
            "Move it away: the next run writes it anew."
        ) from None
    with instance:
        try:
            yield instance
        except Exception:
            _refuse_spoilt(settings)  # spoilt meanwhile: say so, rather than what followed from it
            raise


def _refuse_spoilt(settings: Settings) -> None:
    if settings.dagster_home.exists() and shutil.disk_usage(settings.dagster_home).free < ROOM:
        # SQLite calls it an I/O error when there is no room for its journal: nothing is spoilt.
        raise HimsError(explain(OSError(errno.ENOSPC, "", str(settings.dagster_home))))
    for path in sorted(settings.dagster_home.rglob("*.db")):
        if why := _describe_damage(path):
            raise HimsError(f"Dagster's database {path} is spoilt ({why}). Move it away and run again. {LOSS}")


def _describe_damage(path: Path) -> str:
    """What is wrong with a database of SQLite; empty when nothing is, or when it is empty and will be set up."""
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
    if head and head != MAGIC:
        return "it is no SQLite file"
    if path.name not in SHARED or not head:
        return ""
    try:
        with closing(sqlite3.connect(path, timeout=10)) as con:
            answer = con.execute("pragma quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        return "" if "locked" in str(error) else str(error)
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if answer == "ok" else "pages of it are damaged"


def migrate(settings: Settings, log: Callable[[str], None]) -> None:
    """Bring the schema of Dagster's storage to the installed version."""
    with open_instance(settings) as instance:
        instance.upgrade(log)
