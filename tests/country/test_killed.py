"""kill -9 in the middle of a run, then the run again, on another machine, so to speak: one release, the
same tables as undisturbed."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hims_pipeline.release import store
from tests.elsewhere import SETTINGS
from tests.installation import Installation
from tests.northland import deliver_northland

# While it takes in, and while it builds. Publishing is killed at each of its steps in tests/release, and a night
# anywhere by `make faults`.
MOMENTS = ("judging", "dbt build")


@dataclass(frozen=True)
class Elsewhere(Installation):
    """The same installation, run with other settings of the machine."""

    differs: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | self.differs


def run_until(here: Installation, words: str) -> bool:
    """Start a run and kill it, and all that it started, when it has said `words`; False when it ended before."""
    process = subprocess.Popen(
        here.command("run"), env=here.environment | {"PYTHONUNBUFFERED": "1"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            time.sleep(0.3)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
    process.wait()
    return False


def hashes(here: Installation) -> dict[str, str]:
    tables = store.current_release(here.settings).manifest("staff")["tables"]
    return {name: facts["content_hash"] for name, facts in tables.items()}


@pytest.mark.slow
def test_killed_while_it_takes_in_and_while_it_builds_then_run_again_elsewhere(
    northland_night, untested_code: Path, tmp_path: Path
) -> None:
    undisturbed = hashes(northland_night[0])
    here = replace(deliver_northland(tmp_path), code=untested_code)
    killed = [moment for moment in MOMENTS if run_until(here, moment)]
    assert killed == list(MOMENTS)
    assert not (here.home / "releases/CURRENT").exists()
    elsewhere = Elsewhere(here.home, here.data, here.expectations, code=untested_code, differs=SETTINGS[2])
    printed = elsewhere.hims("run")
    assert "cleared away: build/" in printed
    assert [one.id for one in store.releases(here.settings)] == ["r000001"]
    assert hashes(here) == undisturbed
    assert list((here.home / "build").iterdir()) == []
