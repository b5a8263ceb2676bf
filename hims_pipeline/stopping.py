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


@lru_cache(maxsize=1)
def note_signals() -> int:
    """Have each signal that would end this process raise KeyboardInterrupt, and its number noted; what the process was
    told to ignore stays ignored. Returns where the numbers can be read: Dagster's own handlers forget them."""
    noted, noting = os.pipe()
    for end in (noted, noting):
        os.set_blocking(end, False)
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(noting, warn_on_full_buffer=False)
        for sent in SIGNALS:
            if signal.getsignal(sent) == signal.SIG_DFL:
                signal.signal(sent, signal.default_int_handler)
    return noted


def exit_code() -> int:
    """128 and the number of the signal that came; Ctrl-C's where none was noted."""
    try:
        numbers = os.read(note_signals(), 64)
    except BlockingIOError:
        numbers = b""
    return 128 + next((number for number in numbers if number in SIGNALS), signal.SIGINT)
