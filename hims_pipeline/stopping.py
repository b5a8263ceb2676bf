"""A command or a night that is stopped from outside: Ctrl-C, SIGTERM, a closed terminal, Dagster's button.

It unwinds as Python does at Ctrl-C, so that whatever is half made is taken back on the way, and ends with a sentence
and with the exit code that shells know, 128 and the signal's number. Not here: what a kill leaves (`reconcile`).
"""

import os
import signal
import threading
from functools import lru_cache

STOPPED = (
    "It was stopped from outside: by Ctrl-C, by a signal, or by the button in the pages. What is published stays, and "
    "nothing half made counts: the next run clears it away and begins it anew. Run it again."
)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
QUERY_STOPPED = "Query interrupted"  # DuckDB's words, where an error is known by its text alone
DAGSTER = "DagsterExecutionInterruptedError"  # what it raises in a step instead of KeyboardInterrupt


def find_stop(error: BaseException) -> BaseException | None:
    """The interruption that an error is, or that lies behind it: DuckDB makes a `RuntimeError` of one that comes while
    a query runs."""
    following: BaseException | None = error
    while following is not None:
        if isinstance(following, KeyboardInterrupt) or type(following).__name__ == DAGSTER:
            return following
        following = following.__cause__ or following.__context__
    return None


def let_through(error: BaseException) -> None:
    """Raise the interruption that an error is or that lies behind it: it says nothing of what was being done."""
    if (stop := find_stop(error)) is not None:
        raise stop from None


def note_signals() -> None:
    """From now on each signal that would end this process raises KeyboardInterrupt, and its number is noted, which
    Dagster's own handlers forget; what the process was told to ignore stays ignored."""
    _read_noted()  # those of a command before it in the same process
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(_open_notes()[1], warn_on_full_buffer=False)
        for sent in SIGNALS:
            if signal.getsignal(sent) == signal.SIG_DFL:
                signal.signal(sent, signal.default_int_handler)


def exit_code() -> int:
    """128 and the number of the signal that came; Ctrl-C's where none was noted."""
    return 128 + next((number for number in _read_noted() if number in SIGNALS), signal.SIGINT)


@lru_cache(maxsize=1)
def _open_notes() -> tuple[int, int]:
    noted, noting = os.pipe()
    for end in (noted, noting):
        os.set_blocking(end, False)
    return noted, noting


def _read_noted() -> bytes:
    try:
        return os.read(_open_notes()[0], 1 << 16)
    except BlockingIOError:
        return b""
