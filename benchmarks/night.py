"""`make run` from a bare clone with an empty home, and the memory that a night with the real deliveries takes.

python -m benchmarks.night      installs everything anew, so it needs the package index

Memory is the sum over all processes of the run at the worst moment, sampled: the shares of pages that they really hold
(PSS), where the kernel tells, since a page that two processes share is there once.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hims_pipeline.settings import REPOSITORY

SAMPLED_EVERY_SECONDS = 0.2


def bare_clone_seconds() -> float:
    """Seconds of `make run` in a fresh clone: environment, sample, night, summary."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HIMS_", "DAGSTER_", "VIRTUAL_ENV"))}
        home = Path(folder) / "home"
        home.mkdir()
        started = time.perf_counter()
        subprocess.run(["make", "run"], cwd=clone, env=kept | {"HOME": str(home)}, check=True, capture_output=True)
        return time.perf_counter() - started


def peak_bytes(command: list[str], env: dict[str, str]) -> tuple[int, float]:
    """Run a command; returns the most memory that it and all it started held at once, and its seconds."""
    started, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out, start_new_session=True)
        while process.poll() is None:
            peak = max(peak, sum(map(_held, _session(process.pid))))
            time.sleep(SAMPLED_EVERY_SECONDS)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return peak, time.perf_counter() - started


def _session(leader: int) -> list[Path]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            found.append(folder)
    return found


def _held(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def main() -> None:
    """Print both; without HIMS_REAL_DATA the night has the sample alone, and says so."""
    print(f"make run from a bare clone: {bare_clone_seconds():.0f} s (wanted: under 300)")
    with tempfile.TemporaryDirectory() as home:
        env = dict(os.environ) | {"HIMS_HOME": home, "HIMS_ENV": "dev"}
        peak, seconds = peak_bytes([sys.executable, "-m", "hims_pipeline.cli", "run", "--samples"], env)
    what = (
        "sample and real deliveries" if os.environ.get("HIMS_REAL_DATA") else "sample alone (HIMS_REAL_DATA is not set)"
    )
    print(f"a night with {what}: {peak / 1e9:.2f} GB at the most (wanted: under 2), {seconds:.0f} s")


if __name__ == "__main__":
    main()
