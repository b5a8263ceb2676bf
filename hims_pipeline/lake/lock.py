"""One lock for the whole installation: whatever moves batches or builds a release holds it.

The kernel lets go of it when its holder dies, kill -9 included, so there is never a stale lock to clear.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hims_pipeline.errors import Busy
from hims_pipeline.settings import Settings

_held: dict[str, int] = {}  # lock file -> depth: a process that holds it may take it again


@contextmanager
def installation_lock(
    settings: Settings, purpose: str, wait_seconds: float = 0, log: Callable[[str], None] = lambda text: None
) -> Iterator[None]:
    """Hold the lock, waiting for it at most `wait_seconds`.

    Raises:
        Busy: another process holds it; the message says which one and what for.
    """
    key = str(settings.lock_file)
    if key in _held:
        _held[key] += 1
        try:
            yield
        finally:
            _held[key] -= 1
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    with settings.lock_file.open("a+") as file:
        _wait(file, settings, wait_seconds, log)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()}: {purpose}")
        file.flush()
        _held[key] = 1
        try:
            yield
        finally:
            del _held[key]


def _wait(file, settings: Settings, wait_seconds: float, log: Callable[[str], None]) -> None:
    deadline, told = time.monotonic() + wait_seconds, False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            file.seek(0)
            holder = file.read() or "another process"
        if time.monotonic() >= deadline:
            raise Busy(f"This installation ({settings.home}) is in use by {holder}. Wait for it to end, or stop it.")
        if not told:
            log(f"waiting for {holder}")
            told = True
        time.sleep(0.2)
