"""Acts on releases, killed at each of their durable steps, and done while a night runs."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hims_pipeline.build import Build
from hims_pipeline.errors import Busy, Damaged, ReleaseError
from hims_pipeline.lake import journal, trail
from hims_pipeline.lake.files import write_json
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.reconcile import reconcile
from hims_pipeline.release import acts, store
from hims_pipeline.release.publish import refuse_overtaken
from hims_pipeline.settings import Settings
from tests.killed import failed_at, homes_after_each_kill, restore
from tests.release.conftest import candidate, make


def assert_agreed(settings: Settings) -> None:
    """The trail is whole, nothing is left begun, and pointer, marks and folders are what it tells."""
    assert trail.check(settings).damage == []
    assert {state for _, state in journal.acts(settings)} <= {"done", "undone"}
    assert acts.disagreements(settings) == []
    assert store.find_lost(settings) == []
    now = store.current_release(settings)
    assert now is not None
    assert now.id not in acts.marks(settings)
    for one in store.releases(settings):
        assert store.verify_release(settings, one) == [], one.id


def use_first(settings: Settings) -> None:
    acts.use_release(settings, "r000001", "a wrong figure")


def publish_fourth(settings: Settings) -> None:
    acts.place(settings, settings.build / "r000004" / "release", "r000004", "inputs of r000004")


def retire(settings: Settings) -> None:
    acts.retire(settings, 2)


@pytest.mark.parametrize(
    ("act", "outcome"),
    [(use_first, ("r000001", 4, 3)), (publish_fourth, ("r000004", 4, 0)), (retire, ("r000003", 2, 0))],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_killed_at_any_step_an_act_is_finished_and_recorded(
    settings, act: Callable[[Settings], None], outcome: tuple[str, int, int]
) -> None:
    for number in range(1, 4):
        make(settings, f"r00000{number}")
    if act is not retire:
        candidate(settings, "r000004")
    if act is use_first:
        publish_fourth(settings)
    number = len(journal.acts(settings))
    steps = 0
    for steps in homes_after_each_kill(settings.home, lambda: act(settings)):  # noqa: B007
        reconcile(settings)
        assert_agreed(settings)
        [state] = [state for _, state in journal.acts(settings)][number:]
        found = (store.pointer(settings), len(store.releases(settings)), len(acts.marks(settings)))
        if act is publish_fourth and state == "undone":  # before its rename nothing had been done
            assert found == ("r000003", 3, 0)
        else:
            assert (state, *found) == ("done", *outcome)
        assert reconcile(settings) == []
    assert steps >= 8


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("act", [use_first, publish_fourth])
def test_on_a_full_disk_an_act_is_done_or_not_done_and_says_which(settings, act, lasting: bool) -> None:
    for number in range(1, 4):
        make(settings, f"r00000{number}")
    candidate(settings, "r000004")
    first = settings.home.with_name("first")
    shutil.copytree(settings.home, first, symlinks=True)
    step, seen = 1, set()
    while (error := failed_at(step, lasting, lambda: act(settings))) is not None:
        states = {state for _, state in journal.acts(settings)} - {journal.DONE}
        if "neither finished nor taken back" in str(error):
            assert lasting
            assert states == {journal.BEGUN}
            assert any("had been left begun" in line for line in reconcile(settings))
        else:
            assert states <= {journal.UNDONE}
            if journal.UNDONE in states or len(journal.acts(settings)) == 3:
                assert (store.pointer(settings), acts.marks(settings)) == ("r000003", {})
            assert reconcile(settings) == []
        assert_agreed(settings)
        seen |= states
        step += 1
        restore(settings.home, first)
    assert seen >= ({journal.BEGUN} if lasting else {journal.UNDONE})
    assert step > 8


def test_a_publication_left_begun_does_not_come_over_a_later_decision(settings) -> None:
    make(settings, "r000001")
    candidate(settings, "r000002")
    number = journal.record(
        settings, journal.PUBLISHED, state="begun", release="r000002", inputs_sha256="", manifests={}
    )
    (settings.build / "r000002" / "release").rename(settings.releases / "r000002")
    acts.use_release(settings, "r000001", "stay with the first")
    assert reconcile(settings) == ["release published (r000002) had been left begun: undone"]
    assert journal.entries(settings)[-1]["of"] == number
    assert [one.id for one in store.releases(settings)] == ["r000001"]
    assert_agreed(settings)


def test_a_line_begun_by_somebody_else_is_not_acted_on(settings) -> None:
    make(settings, "r000001")
    make(settings, "r000002")
    journal.record(settings, journal.USED, state="begun", release="r000001", reason="x", withdrawn={})
    content = settings.trail.read_bytes()
    settings.trail.write_bytes(content.replace(b'"reason": "x"', b'"reason": "y"'))
    assert "recorded as interrupted" in "".join(reconcile(settings))
    assert store.pointer(settings) == "r000002"


def build_of(settings: Settings, rows: list[dict]) -> Build:
    folder = settings.build / "night"
    folder.mkdir(parents=True)
    write_json(folder / "inputs.json", rows)
    return Build(folder, settings.rendered, "inputs of r000003", trail.read_present_head(settings).number)


def test_a_night_does_not_publish_over_a_release_that_was_used_meanwhile(settings) -> None:
    make(settings, "r000001")
    make(settings, "r000002")
    acts.use_release(settings, "r000001", "before this night")
    build = build_of(settings, [])
    refuse_overtaken(settings, build)
    acts.use_release(settings, "r000001", "a wrong figure")
    with pytest.raises(ReleaseError, match=r"made r000001 the current release \(a wrong figure\)"):
        refuse_overtaken(settings, build)


HOLD = """
import sys, time
from hims_pipeline.settings import load_settings
from hims_pipeline.lake.lock import installation_lock
with installation_lock(load_settings({"HIMS_HOME": sys.argv[1]}), "a night"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_release_is_used_at_once_while_a_night_holds_the_installation(settings) -> None:
    make(settings, "r000001")
    make(settings, "r000002")
    night = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.home)], stdout=subprocess.PIPE, text=True, cwd=settings.project
    )
    try:
        assert night.stdout is not None
        assert night.stdout.readline() == "held\n"
        with pytest.raises(Busy, match="a night"), installation_lock(settings, "mine"):
            pass
        started = time.monotonic()
        assert reconcile(settings) == []
        acts.use_release(settings, "r000001", "a wrong figure")
        assert time.monotonic() - started < 5
    finally:
        night.kill()
        night.wait()
    assert store.pointer(settings) == "r000001"
    assert_agreed(settings)


def test_the_acts_lock_keeps_other_processes_out_and_lets_its_holder_in(settings: Settings, tmp_path: Path) -> None:
    hold = HOLD.replace("installation_lock", "acts_lock").replace("time.sleep(60)", "time.sleep(0.5)")
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(settings.home)], stdout=subprocess.PIPE, text=True, cwd=settings.project
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    started = time.monotonic()
    with acts_lock(settings, "mine"), acts_lock(settings, "mine again"):
        assert time.monotonic() - started > 0.2
    other.wait()


@pytest.mark.parametrize("make_other", [Path.mkdir, os.mkfifo])
@pytest.mark.parametrize("lock", ["acts.lock", "installation.lock"])
def test_what_lies_where_a_lock_should_is_told_by_its_place(settings: Settings, lock: str, make_other) -> None:
    place = settings.home / lock
    settings.home.mkdir(exist_ok=True)
    make_other(place)
    hold = acts_lock if lock == "acts.lock" else installation_lock
    with pytest.raises(Damaged, match=f"{lock} is to be a lock and is no file: move away"), hold(settings, "mine"):
        pass
    place.rmdir() if place.is_dir() else place.unlink()
    with hold(settings, "mine"):
        assert place.is_file()
