"""Installations to hurt: prepared once, copied for each trial; and running a command with a fault in it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from hims_pipeline.settings import REPOSITORY
from tests.conftest import Installation

SITE = Path(__file__).parent / "site"
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (negative: killed by that signal) and all that it printed."""

    code: int
    printed: str
    acts: int

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


def copy(here: Installation, target: Path) -> Installation:
    """The same installation elsewhere; its releases, read-only as they are, and all."""
    shutil.copytree(here.home, target, symlinks=True)
    return replace(here, home=target)


def remove(here: Installation) -> None:
    for folder, _, _ in os.walk(here.home):
        Path(folder).chmod(0o700)
    shutil.rmtree(here.home)


def run(here: Installation, *words: str, kind: str = "", at: int = 0) -> Ended:
    """Run `hims …` in a process group of its own, hurt at the `at`-th durable act where a kind of fault is given."""
    with tempfile.NamedTemporaryFile(prefix="acts-") as counter, tempfile.TemporaryFile("w+") as printed:
        env = here.environment
        if kind:
            env |= {
                "FAULT_KIND": kind,
                "FAULT_AT": str(at),
                "FAULT_HOME": str(here.home),
                "FAULT_COUNTER": counter.name,
            }
            env["PYTHONPATH"] = os.pathsep.join([str(SITE), str(REPOSITORY)])
        process = subprocess.Popen(
            here.command(*words), env=env, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True,
            cwd=REPOSITORY,
        )  # fmt: skip
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        _end_group(process.pid)
        printed.seek(0)
        return Ended(process.returncode, printed.read(), Path(counter.name).stat().st_size)


def start(here: Installation, *words: str) -> subprocess.Popen:
    """Start `hims …` and let it run."""
    return subprocess.Popen(
        here.command(*words), env=here.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, cwd=REPOSITORY,
    )  # fmt: skip


def _end_group(group: int) -> None:
    """What a killed command started dies with it; who lives on after two seconds is ended, to keep trials apart."""
    for _ in range(20):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(group, signal.SIGKILL)


def children_of(pid: int) -> dict[int, str]:
    """Processes below one, by number, with their command lines."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, IndexError, ValueError):
            continue
        if parent == pid:
            found[int(entry.name)] = line
            found |= children_of(int(entry.name))
    return found
