"""The order of deliveries: one counter, under a lock of landing's own. No clock and no label decides which came last.

Delivering goes on while a night holds the installation's lock, so that is another lock: it guards the moment in which a
delivery gets its number, and whatever else changes a delivery's record, never the copying of files.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hims_pipeline.errors import Busy
from hims_pipeline.lake.files import private_folder, write_text
from hims_pipeline.settings import Settings

PATIENCE_SECONDS = 60  # it is held for moments; who waits longer waits for a process that was stopped


@contextmanager
def landing_lock(settings: Settings) -> Iterator[None]:
    """Hold the lock on landing's records; the kernel lets go of it when its holder dies.

    Raises:
        Busy: another process has held it for a minute.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with (private_folder(settings.identified) / "landing.lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Busy(
                        f"Another process holds {settings.identified}/landing.lock. Wait for it to end, or stop it."
                    ) from None
            time.sleep(0.01)
        yield


def next_number(settings: Settings, known: int) -> int:
    """The next number, never given before; written down before it is used. The caller holds `landing_lock`.

    Args:
        known: the highest number of the source's own deliveries, should the counter have been lost.
    """
    path = settings.identified / "landing.sequence"
    try:
        last = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        last = 0
    number = max(last, known, 0) + 1
    write_text(path, f"{number}\n", mode=0o600)
    return number
