"""Errors of libraries that have seen raw data: their text quotes it, so it must not travel.

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

Result = TypeVar("Result")
# What a person needs to act on, as the system words it; DuckDB quotes these texts.
_SYSTEM = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EIO)]
_SYSTEM += [os.strerror(number) for number in (errno.EMFILE, errno.ENFILE, errno.EROFS, errno.ENOENT, errno.ENOMEM)]


class ReaderFailure(Exception):
    """Something of ours failed while data were read. Holds no data; the full text lies in the identified zone."""


def guarded(settings: Settings, step: str, work: Callable[[], Result]) -> Result:
    """Run `work`; whatever it raises comes out as a `ReaderFailure` without data.

    Raises:
        ReaderFailure: names the step, the kind of error and where its full text is kept.
    """
    try:
        return work()
    except (ReaderFailure, HimsError):
        raise  # written by us, for people
    except Exception as error:
        reason = ": ".join([type(error).__name__, *_said_by_the_system(error)])
        place = _keep(settings, traceback.format_exc())
    raise ReaderFailure(f"{step}: {reason} (full text in {place}, in the identified zone)")


def _said_by_the_system(error: Exception) -> list[str]:
    if isinstance(error, OSError) and error.errno:
        return [os.strerror(error.errno)]
    if isinstance(error, duckdb.IOException):
        return [said for said in _SYSTEM if said in str(error)][:1]
    return ["memory is used up"] if isinstance(error, duckdb.OutOfMemoryException | MemoryError) else []


def _keep(settings: Settings, text: str) -> str:
    folder = private_folder(private_folder(settings.identified) / "failures")
    name = f"{secrets.token_hex(6)}.txt"
    with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return f"failures/{name}"
