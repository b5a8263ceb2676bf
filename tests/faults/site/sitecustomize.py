"""Hurts the process it is loaded into, and every Python process that it starts: at the n-th durable act of them all.

An act is what Python's audit events tell of the installation's folder (a file opened to be written, renamed, removed, a
folder made, a process started) and each fsync. `FAULT_KIND` is `kill`, or the name of an error such as ENOSPC, which is
raised once. `FAULT_COUNTER` is a file that all processes of a command append to, a letter an act: `b` within a build
folder or a rendered tree, which are thrown away, `d` in all else.
"""

import errno
import os
import signal
import sys

_KIND, _AT = os.environ.get("FAULT_KIND"), int(os.environ.get("FAULT_AT", "0"))
_HOME, _COUNTER = os.environ.get("FAULT_HOME", "\0"), os.environ.get("FAULT_COUNTER", "")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_THROWN_AWAY = tuple(os.path.join(_HOME, name, "") for name in ("build", "rendered"))  # noqa: PTH118 - no import more
_ABOUT_PATHS = {
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.truncate",
    "os.link",
    "shutil.copyfile",
}


def _act(name: str) -> None:
    os.write(_descriptor, b"b" if name.startswith(_THROWN_AWAY) else b"d")
    if os.fstat(_descriptor).st_size != _AT:
        return
    if _KIND == "kill":
        os.killpg(os.getsid(0), signal.SIGKILL)  # the command leads its session
    if _KIND == "count":
        return
    raise OSError(getattr(errno, str(_KIND)), os.strerror(getattr(errno, str(_KIND))))


def _hook(event: str, args: tuple) -> None:
    if event == "open":
        path, _, flags = args
        if not isinstance(path, str | bytes | os.PathLike) or not (flags or 0) & _WRITES:
            return
    elif event in _ABOUT_PATHS:
        path = args[0]
    elif event == "subprocess.Popen":
        path = _HOME
    else:
        return
    try:
        name = os.fsdecode(path)
    except (TypeError, ValueError):
        return
    if name.startswith(_HOME):
        _act(name)


if _KIND:
    _descriptor = os.open(_COUNTER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    _fsync = os.fsync

    def _counted(descriptor) -> None:
        try:
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            name = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115 - no import more
        except OSError:
            name = ""
        _act(name)
        _fsync(descriptor)

    os.fsync = _counted
    sys.addaudithook(_hook)
