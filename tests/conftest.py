"""What all tests share: installations of their own, made and run as a person would, through the command line."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hims_pipeline.settings import REPOSITORY, Settings
from tests.stand_in import place

REAL_DATA = os.environ.get("HIMS_REAL_DATA")


LONGEST = "tests/e2e/"  # its nights take minutes, and its files share them


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))  # else one worker is left with them at the end
    for item in items:
        if "real_data" in item.keywords and not REAL_DATA:
            item.add_marker(pytest.mark.skip(reason="HIMS_REAL_DATA is not set: no real deliveries to run on"))
        if "browser" in item.keywords and not shutil.which("chromium"):
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file goes to one worker, and the files of shared nights go together: another worker would wait for them."""
    from xdist.scheduler import LoadFileScheduling

    class ByNight(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return LONGEST if nodeid.startswith(LONGEST) else super()._split_scope(nodeid)

    return ByNight(config, log) if config.getvalue("dist") == "loadfile" else None


@dataclass(frozen=True)
class Installation:
    """One installation in a folder of its own."""

    home: Path
    data: Path = REPOSITORY / "data"
    expectations: Path = REPOSITORY / "expectations"
    real_data: str | None = None

    @property
    def settings(self) -> Settings:
        return Settings(REPOSITORY, self.data, self.expectations, self.home, env="test")

    @property
    def environment(self) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HIMS_", "DAGSTER_"))}
        env |= {"HIMS_HOME": str(self.home), "HIMS_DATA": str(self.data), "HIMS_EXPECTATIONS": str(self.expectations)}
        return env | {"HIMS_ENV": "test"} | ({"HIMS_REAL_DATA": self.real_data} if self.real_data else {})

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "hims_pipeline.cli", *words]

    def hims(self, *words: str, check: bool = True) -> str:
        """Run `hims …`; returns what it printed."""
        done = subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


# A night of two sources at a small scale: what is tested on it does not depend on how many there are.
BRIEF = ("run", "--samples", "--only", "rgph", "--only", "border_crossings", "--scale", "0.002")


def once_for_all_workers(factory: pytest.TempPathFactory, name: str, *words: str) -> tuple[Installation, str]:
    """An installation after `hims …`, run by the first worker that asks; never to be changed. And what it printed."""
    shared = factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    here, printed = Installation(shared / name, real_data=REAL_DATA if name == "real" else None), shared / f"{name}.txt"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failed = printed.with_suffix(".failed")
        if failed.exists():  # it takes minutes: once is enough
            pytest.fail(f"`hims {' '.join(words)}` failed before:\n{failed.read_text(encoding='utf-8')}")
        if not printed.exists():
            try:
                printed.write_text(here.hims(*words), encoding="utf-8")
            except AssertionError as error:
                failed.write_text(str(error)[-3000:], encoding="utf-8")
                raise
    return here, printed.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def real_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """An installation after one night with all real deliveries."""
    return once_for_all_workers(tmp_path_factory, "real", "run")


@pytest.fixture(scope="session")
def sample_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """An installation after one night with the whole synthetic sample: every source, as `make run` takes it in."""
    return once_for_all_workers(tmp_path_factory, "sample", "run", "--samples")


@pytest.fixture(scope="session")
def brief_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """An installation after one night of two sources of the sample; never to be changed."""
    return once_for_all_workers(tmp_path_factory, "brief", *BRIEF)


@pytest.fixture(scope="module")
def small_night(brief_night, tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """An installation of the module's own after one night of two sources of the sample, and what the run printed."""
    night, printed = brief_night
    here = Installation(tmp_path_factory.mktemp("small") / "home")
    shutil.copytree(night.home, here.home)
    return here, printed


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program in dbt's place; its text goes on where `tests.stand_in.HELP` ends."""
    return partial(place, tmp_path, monkeypatch)
