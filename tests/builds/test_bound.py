"""What we start ends with us, and a build folder whose dbt lives is neither cleared away nor used again."""

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from hims_pipeline import build, processes
from hims_pipeline.settings import REPOSITORY, Settings

STARTS = """
import sys
from hims_pipeline.processes import start_bound, token
lock = open(sys.argv[1], "w")
import fcntl
fcntl.flock(lock, fcntl.LOCK_EX)
with start_bound(["/bin/sleep", "60"], {}, inherit=[lock]) as child:
    print(token(child.pid), flush=True)
    child.wait()
"""


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path, env="test")


def ended(known: str, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while processes.is_running(known) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes.is_running(known)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_child_ends_with_the_process_that_started_it(tmp_path, heard_signals, how: signal.Signals) -> None:
    command = [sys.executable, "-c", STARTS, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        child = parent.stdout.readline().strip()
        time.sleep(0.3)  # until the child has become its command
        assert processes.is_running(child)
        os.kill(parent.pid, how)
        parent.wait(timeout=30)
    assert ended(child)


def test_a_child_ends_with_the_block_that_started_it() -> None:
    with processes.start_bound(["/bin/sleep", "60"], {}) as child:
        known = processes.token(child.pid)
        assert processes.is_running(known)
    assert ended(known, 0)
    assert "SIGKILL" in processes.describe_ending(child.returncode)


def test_a_child_whose_parent_is_gone_already_does_not_start(tmp_path) -> None:
    command = [sys.executable, "-I", processes.__file__, "1", "/bin/touch", str(tmp_path / "made")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    assert not (tmp_path / "made").exists()


def held(settings: Settings, owner: str) -> tuple[subprocess.Popen, str]:
    """A build folder whose lock a process holds that nobody waits for any more."""
    folder = settings.build / "old"
    folder.mkdir(parents=True)
    with (folder / build.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        holder = subprocess.Popen(["/bin/sleep", "60"], pass_fds=[lock.fileno()], process_group=0)
        known = processes.token(holder.pid)
        lock.write(f"{owner} {known}")
    return holder, known


def test_a_build_in_progress_is_not_cleared_away(settings) -> None:
    holder, known = held(settings, processes.token(os.getpid()))
    try:
        assert build.clear_dead_builds(settings) == []
        assert (settings.build / "old").exists()
        assert processes.is_running(known)
    finally:
        holder.kill()
        holder.wait()
    assert build.clear_dead_builds(settings) == ["build/old"]


def test_an_orphaned_dbt_is_waited_for_then_ended_then_cleared_away(settings, monkeypatch) -> None:
    monkeypatch.setattr(build, "ORPHAN_SECONDS", 0.5)
    holder, _ = held(settings, "99999999:1")
    began = time.monotonic()
    assert build.clear_dead_builds(settings) == ["build/old"]
    assert time.monotonic() - began >= 0.5
    assert holder.wait() == -signal.SIGKILL
    assert not (settings.build / "old").exists()


def test_a_recycled_number_is_no_orphan(settings, monkeypatch) -> None:
    """The number of an orphan that ended may be that of another process by now, which is left alone."""
    holder, known = held(settings, "99999999:1")
    number, start = known.split(":")
    processes.kill(f"{number}:{int(start) + 1}")
    assert processes.is_running(known)
    holder.kill()
    holder.wait()
