"""Errors of libraries that have seen raw data: their text quotes it, so it must not travel.

DuckDB puts the offending line into its messages, and `raise … from None` would still hand the original to whoever
serialises the error. So the original is written into the identified zone, and a clean one is raised outside `except`.
"""

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
# Their messages speak of disks, memory and paths, and a person needs them to act.
_HARMLESS = (duckdb.IOException, duckdb.OutOfMemoryException, OSError, MemoryError)


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
        reason = f"{type(error).__name__}: {error}" if isinstance(error, _HARMLESS) else type(error).__name__
        place = _keep(settings, traceback.format_exc())
    raise ReaderFailure(f"{step}: {reason} (full text in {place}, in the identified zone)")


def _keep(settings: Settings, text: str) -> str:
    folder = private_folder(private_folder(settings.identified) / "failures")
    name = f"{secrets.token_hex(6)}.txt"
    with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return f"failures/{name}"
