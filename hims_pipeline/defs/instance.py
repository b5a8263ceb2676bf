"""The installation's Dagster instance, opened so that a spoilt file of it is named, and set aside where a night begins.
It holds the history of runs and no data of ours."""

import errno
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.settings import Settings

MAGIC = b"SQLite format 3\0"
SHARED = ("runs.db", "index.db", "schedules.db")  # read by every run; the others are of one run each
ROOM = 1_000_000  # bytes that SQLite's journals take at least
LOSS = "The history of runs is lost with it, no data and no release: those do not lie there."
BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite keeps beside a database belongs to it


@contextmanager
def open_instance(
    settings: Settings, log_set_aside: Callable[[str], None] | None = None
) -> Iterator[dg.DagsterInstance]:
    """Open the instance.

    Args:
        log_set_aside: spoilt databases are set aside and told here, so that the history begins anew instead of stopping
            each night; without it they are refused.

    Raises:
        HimsError: its configuration or one of its databases is spoilt, names the file; or the disk is full.
    """
    if log_set_aside is None:
        _refuse_spoilt(settings)
    else:
        for text in set_spoilt_aside(settings):
            log_set_aside(text)
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


def _require_room(settings: Settings) -> None:
    """SQLite calls it an I/O error when there is no room for its journal: nothing is spoilt."""
    if settings.dagster_home.exists() and shutil.disk_usage(settings.dagster_home).free < ROOM:
        raise HimsError(explain(OSError(errno.ENOSPC, "", str(settings.dagster_home))))


def _refuse_spoilt(settings: Settings) -> None:
    _require_room(settings)
    for path, why in _find_spoilt(settings):
        raise HimsError(f"Dagster's database {path} is spoilt ({why}). Move it away and run again. {LOSS}")


def set_spoilt_aside(settings: Settings) -> list[str]:
    """Rename spoilt databases; returns a line each.

    Raises:
        HimsError: the disk is full.
    """
    _require_room(settings)
    lines, now = [], f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    for path, why in _find_spoilt(settings):
        for beside in BESIDE:
            with suppress(FileNotFoundError):
                path.with_name(path.name + beside).rename(path.with_name(f"{path.name}{beside}.spoilt-{now}"))
        lines.append(f"Dagster's database {path} was spoilt ({why}): it is set aside, {path.name}.spoilt-{now}. {LOSS}")
    return lines


def _find_spoilt(settings: Settings) -> Iterator[tuple[Path, str]]:
    for path in sorted(settings.dagster_home.rglob("*.db")):
        if why := _describe_damage(path):
            yield path, why


def _describe_damage(path: Path) -> str:
    """What is wrong with a database of SQLite; empty when nothing is, or when it is empty and will be set up."""
    if not path.is_file():
        return "it is no file"
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
        if "locked" in str(error):
            return ""
        raise HimsError(
            f"Dagster's database {path} cannot be read ({error}). Look at its disk and its rights."
        ) from None
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if answer == "ok" else "pages of it are damaged"


def migrate(settings: Settings, log: Callable[[str], None]) -> None:
    """Bring the schema of Dagster's storage to the installed version."""
    with open_instance(settings) as instance:
        instance.upgrade(log)
