"""Errors raised while a sender's bytes are read: whose they are, and that their text, which quotes data, stays behind.

The machine's own (disk, memory) leave the delivery as it was, to be read again. Any other is the doing of this file
with this reader: it refuses the delivery, or the same file would end every night anew.

DuckDB puts the offending line into its messages, and `raise … from None` would still hand the original to whoever
serialises the error. So the original is written into the identified zone, and a clean one is raised outside `except`.
Errors of disks and memory quote paths, which hold names of files as sent: of them only what the system says is told.
"""

import errno
import os
import secrets
import traceback
from collections.abc import Callable
from typing import TypeVar

import duckdb

from hims_pipeline.errors import HimsError
from hims_pipeline.lake.files import private_folder
from hims_pipeline.settings import Settings
from hims_pipeline.stopping import let_through

Result = TypeVar("Result")
_PANIC = "PanicException"  # of libraries in Rust, which raise it as no `Exception` and have no name to import it by
# Of the machine. Their messages quote paths, which hold names of files as sent.
_OF_THE_MACHINE = (duckdb.IOException, duckdb.OutOfMemoryException, MemoryError)
# What a person needs to act on, as the system words it; DuckDB quotes these texts.
_SYSTEM = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EIO)]
_SYSTEM += [os.strerror(number) for number in (errno.EMFILE, errno.ENFILE, errno.EROFS, errno.ENOENT, errno.ENOMEM)]


class ReaderFailure(Exception):
    """The machine failed while data were read. Holds no data; the full text lies in the identified zone."""


class Unreadable(Exception):
    """A reader of ours stumbled over a file. Holds no data.

    Args:
        kind: of the error, by its class, or what was found to be impossible.
        place: where its full text is kept in the identified zone; empty where there is none.
    """

    def __init__(self, kind: str, place: str = "") -> None:
        super().__init__(kind, place)
        self.kind, self.place = kind, place


def guard(settings: Settings, step: str, work: Callable[[], Result]) -> Result:
    """Run `work`; whatever it raises comes out without data.

    Raises:
        ReaderFailure: disk or memory; names the step, the error and where its full text is kept.
        Unreadable: anything else.
    """
    failure: ReaderFailure | Unreadable
    try:
        return work()
    except (Unreadable, HimsError):
        raise  # written by us, for people
    except BaseException as error:
        let_through(error)
        if not (isinstance(error, Exception) or type(error).__name__ == _PANIC):
            raise
        place, kind = _keep(settings, traceback.format_exc()), type(error).__name__
        if _is_of_the_machine(error):
            reason = ": ".join([kind, *_said_by_the_system(error)])
            failure = ReaderFailure(f"{step}: {reason} (full text in {place}, in the identified zone)")
        else:
            failure = Unreadable(kind, place)
    raise failure


def _is_of_the_machine(error: BaseException) -> bool:
    """Libraries raise `OSError` of what they find in a file too, but only the system gives it a number."""
    return isinstance(error, _OF_THE_MACHINE) or (isinstance(error, OSError) and error.errno is not None)


def _said_by_the_system(error: BaseException) -> list[str]:
    if isinstance(error, OSError) and error.errno:
        return [os.strerror(error.errno)]
    if isinstance(error, duckdb.IOException):
        return [text for text in _SYSTEM if text in str(error)][:1]
    return ["memory is used up"] if isinstance(error, duckdb.OutOfMemoryException | MemoryError) else []


def _keep(settings: Settings, text: str) -> str:
    folder = private_folder(private_folder(settings.identified) / "failures")
    name = f"{secrets.token_hex(6)}.txt"
    with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return f"failures/{name}"
