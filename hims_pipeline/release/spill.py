"""Where a reader's large queries spill: a closed folder of the process's own, never one that is published.

Spill files are plain text of what a query holds. The folder lies where the system keeps temporary files (`TMPDIR`), is
open to its owner alone and goes with the process; what a killed one left is removed by the next reader of that account.
Not here: spill folders of the pipeline itself, which lie in its closed zones.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hims_pipeline.errors import ReleaseError

PREFIX = "hims-reader-"
ALIVE = "alive.lock"
LARGEST_BYTES = 20_000_000_000
GRACE_SECONDS = 60  # a folder without its lock file may just have been made


@dataclass(frozen=True)
class Spill:
    """The folder, and how much may lie in it: fixed when it is made, since connections to one file share one limit."""

    folder: Path
    bytes: int
    lock: IO[str]


_of_process: dict[int, Spill] = {}
_making = threading.Lock()


def _forget_after_fork() -> None:
    global _making
    _making = threading.Lock()  # the thread that held it does not exist in the child


os.register_at_fork(after_in_child=_forget_after_fork)


def spill_of_process(never_in: Path) -> Spill:
    """The spill folder of this process, made at the first call; a forked process has one of its own.

    Args:
        never_in: folder of the releases: what a query holds must not lie there.

    Raises:
        ReleaseError: there is no place for temporary files, or it lies within `never_in`.
    """
    with _making:
        spill = _of_process.get(os.getpid())
        if spill is None or not spill.folder.is_dir():  # cleaners of temporary folders do remove old ones
            spill = _of_process[os.getpid()] = _make(never_in)
        return spill


def _make(never_in: Path) -> Spill:
    try:
        root = Path(tempfile.gettempdir()).resolve()
        if root.is_relative_to(never_in.resolve()):
            raise ReleaseError(
                f"Temporary files would lie among the releases, in {root}. Set TMPDIR to another folder."
            )
        _clear_dead(root)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))  # mode 0700
        lock = (folder / ALIVE).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ReleaseError(f"A reader needs a folder for temporary files ({error}). Set TMPDIR to one.") from None
    atexit.register(_remove, folder, os.getpid())
    return Spill(folder, min(free // 2, LARGEST_BYTES), lock)


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child ends without touching its parent's
        shutil.rmtree(folder, ignore_errors=True)


def _clear_dead(root: Path) -> None:
    """Remove what killed readers of this account left, known by a lock that nobody holds."""
    for folder in root.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            with (folder / ALIVE).open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            if folder.is_dir() and time.time() - folder.stat().st_mtime > GRACE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # held: its reader lives
