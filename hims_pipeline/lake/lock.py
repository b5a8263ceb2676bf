"""The two locks of an installation.

`installation_lock` is held for minutes by whatever takes in, builds or publishes: one at a time. `acts_lock` is held
for moments by whatever changes what counts or what readers get (a withdrawal, the pointer), also while a night runs, so
that a person never waits for the night and the night sees what a person just did before it publishes.

The kernel lets go of a lock when its holder dies, kill -9 included, so there is never a stale lock to clear. Who needs
both takes the installation's first.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from hims_pipeline.errors import Busy, Damaged
from hims_pipeline.settings import Settings

Log = Callable[[str], None]
ACTS_PATIENCE_SECONDS = 30  # acts take milliseconds; only a disk that hangs makes one wait
_held: dict[str, int] = {}  # lock -> depth: who holds it may take it again


def installation_lock(
    settings: Settings, purpose: str, wait_seconds: float = 0, log: Log = lambda text: None
) -> AbstractContextManager[None]:
    """Hold the installation, waiting for it at most `wait_seconds`. The process that holds it may take it again.

    Raises:
        Busy: another process holds it; the message says which one and what for.
    """
    return _hold(str(settings.lock_file), settings.lock_file, purpose, wait_seconds, log)


def acts_lock(settings: Settings, purpose: str) -> AbstractContextManager[None]:
    """Hold what counts and what readers get still, for a moment. The thread that holds it may take it again.

    Raises:
        Busy: another process has held it for half a minute: its disk hangs, or it was stopped.
    """
    key = f"{settings.acts_file} of thread {threading.get_ident()}"
    return _hold(key, settings.acts_file, purpose, ACTS_PATIENCE_SECONDS, lambda text: None)


def holds_installation(settings: Settings) -> bool:
    """Does this process hold the installation's lock?"""
    return str(settings.lock_file) in _held


@contextmanager
def _hold(key: str, path: Path, purpose: str, wait_seconds: float, log: Log) -> Iterator[None]:
    if key in _held:
        _held[key] += 1
        try:
            yield
        finally:
            _held[key] -= 1
        return
    with _open_lock(path) as file:
        _wait(file, path.parent, wait_seconds, log)
        with suppress(OSError):  # a full disk: who holds it cannot be told, and it is held all the same
            os.ftruncate(file.fileno(), 0)
            os.pwrite(file.fileno(), f"process {os.getpid()}: {purpose}".encode(), 0)
        _held[key] = 1
        try:
            yield
        finally:
            del _held[key]


def _open_lock(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        raise Damaged(path, "is to be a lock and is no file: move away what lies there, and it is made again")
    # Closed to other accounts: who can open the file could hold the lock.
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")


def _wait(file: IO[str], home: Path, wait_seconds: float, log: Log) -> None:
    deadline, has_told = time.monotonic() + wait_seconds, False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            file.seek(0)
            holder = file.read() or "another process"
        if time.monotonic() >= deadline:
            raise Busy(f"This installation ({home}) is in use by {holder}. Wait for it to end, or stop it.")
        if not has_told:
            log(f"waiting for {holder}")
            has_told = True
        time.sleep(0.02 if wait_seconds <= ACTS_PATIENCE_SECONDS else 0.2)
