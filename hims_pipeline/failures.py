"""What is told of an error: one line for a person that names the file and what to do, and never a value of the data.

Errors of others (the disk, memory, SQLite, DuckDB) are told by kind, since their texts may quote rows. Not here: errors
that we raise ourselves, whose texts are written for people (`errors.py`), and dbt's (`dbt.py`).
"""

import errno
import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path

from hims_pipeline.errors import DataError, HimsError
from hims_pipeline.stopping import STOPPED, find_stop

PACKAGE = Path(__file__).resolve().parent
FULL = "No space left on device"
STAYS = "What is published stays, and can be read."
WHAT_TO_DO = {
    errno.ENOSPC: f"The disk is full{{at}}. Make room and run again. {STAYS}",
    errno.EDQUOT: f"The quota of the disk is used up{{at}}. Make room and run again. {STAYS}",
    errno.EIO: f"The disk failed to read or write{{at}}. Check it, restore the file from a copy. {STAYS}",
    errno.EROFS: "The disk is mounted read-only{at}. Mount it for writing and run again.",
    errno.EACCES: "Permission denied{at}. Run as the user who owns the installation, or give that file back to it.",
    errno.EPERM: "Permission denied{at}. Run as the user who owns the installation, or give that file back to it.",
    errno.EMFILE: "Too many files are open{at}. Raise the limit (`ulimit -n`) and run again.",
}
NO_MEMORY = "There is not enough memory. Give DuckDB more with HIMS_MEMORY_LIMIT, or the machine."


def explain(error: BaseException) -> str:
    """What to tell a person of an error, whatever it is wrapped in."""
    if find_stop(error) is not None:
        return STOPPED
    chain = list(_chain(error))
    for one in chain:
        if (known := _explain_known(one)) is not None:
            return known
    return f"A defect of ours: {_place(chain[-1])}. HIMS_DEBUG=1 shows its trace, which may quote data."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from, the outermost first."""
    following: BaseException | None = error
    while following is not None:
        yield following
        inner = getattr(following, "orig", None)  # SQLAlchemy's wrapper keeps the driver's error here
        following = inner if isinstance(inner, BaseException) else following.__cause__ or following.__context__


def _explain_known(error: BaseException) -> str | None:
    if isinstance(error, HimsError | DataError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return NO_MEMORY
    if isinstance(error, OSError):
        at = f": {_told_path(error.filename)}" if error.filename else ""
        advice = WHAT_TO_DO.get(error.errno or 0)
        return advice.format(at=at) if advice else f"{error.strerror or type(error).__name__}{at}."
    if FULL in str(error) or (isinstance(error, sqlite3.Error) and "disk is full" in str(error)):
        return WHAT_TO_DO[errno.ENOSPC].format(at="")
    return None


def _told_path(filename: object) -> str:
    """A file's path; of one in the closed zone the folder alone, since a sender named the file."""
    path = Path(str(filename))
    return f"{path.parent}/…" if "identified" in path.parts else str(path)


def _place(error: BaseException) -> str:
    """Kind of an error and where in our code it arose."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(PACKAGE)]
    where = f" at {Path(ours[-1].filename).relative_to(PACKAGE.parent)}:{ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{where}"
