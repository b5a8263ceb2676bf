"""Installations to hurt: prepared once, copied for each trial; and running a command with a fault in it.

Commands, nights among them, are run in a fork of this process, which has imported all that they need: a trial takes a
second and not ten. What a night starts (dbt, the audit) are programs as ever.
"""

import contextlib
import importlib
import importlib.util
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import hims_pipeline.gates  # noqa: F401 - imported here once, for all forks
from hims_pipeline.cli import main
from hims_pipeline.settings import REPOSITORY
from tests.installation import Installation, copy_repository

SITE = Path(__file__).parent / "site"
PATIENCE_SECONDS = 3600  # on a busy machine a night of a minute has taken a quarter of an hour
LINGERING_SECONDS = 5  # what a killed command started is gone by then


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: killed by that signal), all that it printed, the letters of its
    durable acts, and command lines of what it started and left running."""

    code: int
    printed: str
    acts: bytes
    left: tuple[str, ...] = ()

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL

    def draw(self, dice: random.Random) -> int:
        """The number of an act: of those that last as often as of those within a build, which are many."""
        letter = dice.choice(sorted(set(self.acts))) if self.acts else 0
        return dice.choice([n for n, one in enumerate(self.acts, start=1) if one == letter] or [1])


@contextlib.contextmanager
def thrown_away(name: str) -> Iterator[Path]:
    """A folder that is gone afterwards, with releases that are read-only in it."""
    folder = Path(name)
    try:
        yield folder
    finally:
        for place, _, _ in os.walk(folder):
            Path(place).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def go_on_in_a_copy(
    program: str, code: Path, words: list[str], more: Mapping[str, str] | None = None, *, whole: bool = False
) -> NoReturn:
    """Start a program of these tests again from a copy of the repository, and end as it ends.

    Args:
        code: where the copy is made.
        words: its arguments.
        more: variables of its environment.
        whole: keep the warehouse's tests.
    """
    env = os.environ | {"PYTHONPATH": str(copy_repository(code, with_tests=whole))} | dict(more or {})
    command = [sys.executable, "-u", "-m", program, *words]
    sys.exit(subprocess.run(command, env=env, cwd=code, check=False).returncode)


def copy(here: Installation, target: Path) -> Installation:
    """The same installation elsewhere; its releases, read-only as they are, and all."""
    shutil.copytree(here.home, target, symlinks=True)
    return replace(here, home=target)


def remove(here: Installation) -> None:
    for folder, _, _ in os.walk(here.home):
        Path(folder).chmod(0o700)
    shutil.rmtree(here.home)


def _faulty(here: Installation, kind: str, at: int, counter: str) -> dict[str, str]:
    faults = {"FAULT_KIND": kind, "FAULT_AT": str(at), "FAULT_HOME": str(here.home), "FAULT_COUNTER": counter}
    return here.environment | (faults | {"PYTHONPATH": os.pathsep.join([str(SITE), str(REPOSITORY)])} if kind else {})


def run(
    here: Installation,
    *words: str,
    kind: str = "",
    at: int = 0,
    more: Mapping[str, str] | None = None,
    within: Callable[[], None] = lambda: None,
) -> Ended:
    """Run `hims …` in a session of its own, hurt at the `at`-th durable act where a kind of fault is given.

    Args:
        more: variables of its environment.
        within: what its process does first.
    """
    with tempfile.NamedTemporaryFile(prefix="acts-") as counter, tempfile.TemporaryFile("w+") as printed:
        env = _faulty(here, kind, at, counter.name) | dict(more or {})
        if words[0] in ("run", "build"):
            importlib.import_module("hims_pipeline.defs.execution")
        pid = _forked(words, env, printed.fileno(), within)
        code = _wait(pid)
        left = _end_session(pid)
        printed.seek(0)
        return Ended(code, printed.read(), Path(counter.name).read_bytes(), left)


def _forked(words: tuple[str, ...], env: dict[str, str], output: int, within: Callable[[], None]) -> int:
    """Start `hims …` in a fork that leads a session of its own; returns its process id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        os.environ.clear()
        os.environ.update(env)
        sys.argv = ["hims", *words]
        if env.get("FAULT_KIND"):
            spec = importlib.util.spec_from_file_location("faulty", SITE / "sitecustomize.py")
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        within()
        main(list(words), standalone_mode=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _wait(pid: int) -> int:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.01)


def ask(question: Callable[[], Any]) -> Any:
    """The answer of a function, worked out in a fork: nothing that it opens or remembers stays in this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as pipe:
                try:
                    pickle.dump(question(), pipe)
                except BaseException as error:
                    pickle.dump(RuntimeError(f"{type(error).__name__}: {error}"), pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = pickle.load(pipe)  # noqa: S301 - of our own fork
    os.waitpid(child, 0)
    if isinstance(found, RuntimeError):
        raise found
    return found


def start(here: Installation, *words: str) -> subprocess.Popen:
    """Start `hims …` and let it run."""
    return subprocess.Popen(
        here.command(*words), env=here.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, cwd=REPOSITORY,
    )  # fmt: skip


def _end_session(session: int) -> tuple[str, ...]:
    """What a command started dies with it; tells of whatever does not, and ends it, to keep trials apart."""
    until = time.monotonic() + LINGERING_SECONDS
    while left := {pid: line for pid, line in _processes() if _session_of(pid) == session}:
        if time.monotonic() > until:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return tuple(line[:200] for line in left.values())
        time.sleep(0.05)
    return ()


def _processes() -> list[tuple[int, str]]:
    """(process id, command line) of all that run; those that have ended are left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if line := (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                    found.append((int(entry.name), line))
    return found


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def children_of(pid: int) -> dict[int, str]:
    """Processes of the session that one leads, by number, with their command lines."""
    return {one: line for one, line in _processes() if one != pid and _session_of(one) == pid}
