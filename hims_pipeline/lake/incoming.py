"""The hidden folder in which a delivery is put together, and clearing away those whose process was killed.

    landing/<source>/<period>/.incoming-<process>-<moment>/

A lock that the kernel holds on the folder itself says that its process lives. Not here: what becomes of it (`landing`).
"""

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hims_pipeline.errors import HimsError
from hims_pipeline.lake.arrival import RECORD
from hims_pipeline.lake.delivery import ID_LENGTH
from hims_pipeline.lake.files import folders_in
from hims_pipeline.lake.lock import acts_lock
from hims_pipeline.settings import Settings

STAGING = re.compile(r"\.incoming-[0-9]+-[0-9]+")


@contextmanager
def incoming_folder(settings: Settings, place: Path) -> Iterator[Path]:
    """A folder beside the delivery to be, locked; deleted at the end, unless it became the delivery.

    Raises:
        HimsError: a link stands where the period's folder belongs.
    """
    with acts_lock(settings, "delivering"):  # against `clear_incoming`, between making and locking
        if place.resolve() != settings.landing.resolve() / place.parent.name / place.name:
            raise HimsError(f"landing/{place.parent.name}/{place.name} is a link. Make it a folder of its own.")
        place.mkdir(parents=True, exist_ok=True)
        staging = place / f".incoming-{os.getpid()}-{time.monotonic_ns()}"
        staging.mkdir(mode=0o700)
        descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)  # once it became the delivery there is none of this name
        os.close(descriptor)


def clear_incoming(settings: Settings) -> int:
    """Remove what killed take-overs left; returns how many folders. What is in progress stays, and so does what is
    not ours, such as the hidden folder of a transfer."""
    cleared = 0
    with acts_lock(settings, "clearing away what was killed"):
        periods = [period for source in _list_inside(settings.landing) for period in _list_inside(source)]
        for folder in [one for period in periods for one in _list_inside(period)]:
            if STAGING.fullmatch(folder.name):
                cleared += _clear(folder)
            for left in folder.glob(f".{RECORD}.*.tmp") if len(folder.name) == ID_LENGTH else ():
                left.unlink(missing_ok=True)  # records are written under this lock, so its writer is dead
    return cleared


def _list_inside(folder: Path) -> list[Path]:
    try:
        return folders_in(folder)
    except OSError:
        return []  # whoever reads the records tells it


def _clear(staging: Path) -> bool:
    """Delete a staging folder whose process is gone. One that holds anything but plain files is none of ours."""
    try:
        if not all(one.is_file() and not one.is_symlink() for one in staging.iterdir()):
            return False
        descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(staging)
    except OSError:  # its process lives, or the disk does not let us
        return False
    finally:
        os.close(descriptor)
    return True
