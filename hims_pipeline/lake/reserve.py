"""A little of the disk that is kept for acts, so that a person can take a wrong release back although the disk is full.

    acts.reserve   zeros; given up while an act is done on a disk that has nothing left, and made again afterwards

Not here: the room that a build or a delivery needs, which is asked for before either begins.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hims_pipeline.settings import Settings

SIZE = 256 << 10  # bytes: an act writes some ten small files anew, one at a time
LOW = 1 << 20  # bytes left on the disk below which an act takes the reserve


def keep_reserve(settings: Settings) -> None:
    """Make the reserve where there is none and the disk has room for it."""
    path = settings.home / "acts.reserve"
    with suppress(OSError):
        if path.exists() and path.stat().st_size == SIZE:
            return
        if shutil.disk_usage(settings.home).free > LOW + SIZE:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(b"\0" * SIZE)


@contextmanager
def lend(settings: Settings) -> Iterator[None]:
    """Give the reserve up for an act where the disk has nothing else left."""
    with suppress(OSError):
        if shutil.disk_usage(settings.home).free < LOW:
            (settings.home / "acts.reserve").unlink(missing_ok=True)
    try:
        yield
    finally:
        keep_reserve(settings)
