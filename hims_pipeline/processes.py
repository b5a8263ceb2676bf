"""Processes that we start: each ends with the process that started it, however that one ends.

Run as a script with the id of its parent and a command, this file has the kernel kill it when the parent is gone, and
then becomes that command. It stands on the standard library alone, so that the way there takes no time. Not here: what
the commands do.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>


def token(pid: int) -> str:
    """A process by number and start time, since numbers are used again; without a start where there is no /proc."""
    try:
        state, *facts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return f"{pid}:{'gone' if Path('/proc/self').exists() else 'unknown'}"
    return f"{pid}:{'gone' if state == 'Z' else facts[18]}"  # one that ended and that nobody has waited for is gone


def is_running(known: str) -> bool:
    """Whether the process of a token is there still; taken to be where that cannot be known."""
    number, _, start = known.partition(":")
    return number.isdigit() and start != "gone" and token(int(number)) == known


@contextmanager
def start_bound(
    command: Sequence[str], env: Mapping[str, str], inherit: Sequence[IO[Any]] = (), errors: IO[Any] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a command, its output on a pipe, in a process group of its own that outlives neither the block nor this
    process. The block must be left by the thread that entered it: the kernel looks at that thread.

    Args:
        inherit: open files that the command holds too: a lock on one of them lasts until both have ended.
        errors: where its errors go; onto the same pipe without it.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", __file__, str(os.getpid()), *command],
        env=dict(env), pass_fds=[file.fileno() for file in inherit], process_group=0,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
        stderr=subprocess.STDOUT if errors is None else errors,
    )  # fmt: skip
    try:
        yield process
    finally:
        end_process(process)


def end_process(process: subprocess.Popen[str]) -> None:
    """Have a process and its group gone. What it was writing is thrown away, so it is not asked."""
    if process.poll() is None:
        _kill_group(process.pid)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def kill(known: str) -> None:
    """End the process group of a token, whoever started it."""
    if is_running(known):
        _kill_group(int(known.split(":")[0]))


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def describe_ending(code: int) -> str:
    """How a process ended, in words, from its return code."""
    if code >= 0:
        return f"ended with code {code}"
    return f"was killed by {signal.Signals(-code).name}" + (
        ", which is mostly the machine running out of memory" if -code == signal.SIGKILL else ""
    )


def _exec_command(parent: int, command: list[str]) -> None:
    library = ctypes.CDLL(None)
    if hasattr(library, "prctl"):  # Linux; elsewhere the lock that a child inherits tells that it lives
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that started this one is gone")
    os.execv(command[0], command)  # noqa: S606 - the command is our own


if __name__ == "__main__":
    _exec_command(int(sys.argv[1]), sys.argv[2:])
