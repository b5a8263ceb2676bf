"""What all tests share: installations of their own, made and run as a person would, through the command line."""

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hims_pipeline.stopping import SIGNALS
from tests.installation import Installation, copy_repository
from tests.northland import deliver_northland, make_northland, northland_at
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


# A night of two sources at a small scale: what is tested on it does not depend on how many there are.
BRIEF = ("run", "--samples", "--only", "rgph", "--only", "border_crossings", "--scale", "0.002")


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers have in common."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once_for_all_workers(
    here: Installation, *words: str, prepare: Callable[[], object] = lambda: None
) -> tuple[Installation, str]:
    """An installation after `hims …`, run by the first worker that asks; never to be changed. And what it printed.

    Args:
        prepare: what the run needs to be there.
    """
    printed = here.home.with_name(f"{here.home.name}.txt")
    printed.parent.mkdir(exist_ok=True)
    with printed.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failed = printed.with_suffix(".failed")
        if failed.exists():  # it takes minutes: once is enough
            pytest.fail(f"`hims {' '.join(words)}` failed before:\n{failed.read_text(encoding='utf-8')}")
        if not printed.exists():
            try:
                prepare()
                printed.write_text(here.hims(*words), encoding="utf-8")
            except AssertionError as error:
                failed.write_text(str(error)[-3000:], encoding="utf-8")
                raise
    return here, printed.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def whole_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """An installation after one night with all that is at hand, as `make run` takes it in: the whole synthetic sample,
    and the real deliveries where there are any; never to be changed."""
    here = Installation(shared_folder(tmp_path_factory) / "whole", real_data=REAL_DATA)
    return once_for_all_workers(here, "run", "--samples")


@pytest.fixture(scope="session")
def brief_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """An installation after one night of two sources of the sample; never to be changed."""
    return once_for_all_workers(Installation(shared_folder(tmp_path_factory) / "brief"), *BRIEF)


@pytest.fixture(scope="session")
def northland(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The worker's own installation of an invented country, before any night."""
    return make_northland(tmp_path_factory.mktemp("northland"))


@pytest.fixture(scope="session")
def northland_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, str]:
    """The invented country after one night of two sources; never to be changed."""
    root = shared_folder(tmp_path_factory) / "northland_night"
    return once_for_all_workers(northland_at(root), "run", prepare=partial(deliver_northland, root))


@pytest.fixture(scope="session")
def untested_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository whose warehouse has no tests of its own, which take two thirds of a small night."""
    return copy_repository(tmp_path_factory.mktemp("untested") / "code", with_tests=False)


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


@pytest.fixture
def heard_signals() -> Iterator[None]:
    """What stops a command is heard here and by whatever is started, also where these tests run in the background of a
    shell, which has some of it ignored."""
    former = {one: signal.signal(one, signal.default_int_handler) for one in SIGNALS}
    yield
    for one, handler in former.items():
        signal.signal(one, handler)
