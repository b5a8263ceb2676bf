"""Deliveries received, judged, withdrawn and reinstated: killed at any step, and while a night runs."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.build import Build
from hims_pipeline.errors import ReleaseError
from hims_pipeline.lake import batches, journal, landing, trail
from hims_pipeline.lake.files import write_json
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.reconcile import reconcile
from hims_pipeline.release.publish import refuse_overtaken
from hims_pipeline.settings import REPOSITORY, Settings
from tests.killed import homes_after_each_kill
from tests.lake.test_deliveries import accept, contract, sent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")


@pytest.fixture
def delivery(settings: Settings, tmp_path: Path) -> landing.Delivery:
    found, _ = landing.take_over(settings, contract(), "2023", [sent(tmp_path, "a")])
    accept(settings, found)
    return found


def counted(settings: Settings) -> list[str]:
    return [
        one.manifest.batch for one in batches.find_current_batches(settings, contract(), landing.deliveries(settings))
    ]


def told(settings: Settings, event: str) -> list[str]:
    return [state for intent, state in journal.acts(settings) if intent["event"] == event]


def assert_whole(settings: Settings) -> None:
    assert trail.check(settings).damage == []
    assert {state for _, state in journal.acts(settings)} <= {"done", "undone"}
    with installation_lock(settings, "the next start"):
        assert reconcile(settings) == []
    for one in landing.deliveries(settings):
        assert not (one.withdrawn and batches.folder_of(settings.validated, one).exists())


def test_a_withdrawal_killed_at_any_step_is_finished_and_recorded(settings, delivery) -> None:
    outcomes = set()
    for _ in homes_after_each_kill(settings.home, lambda: intake.withdraw(settings, delivery.batch, "the wrong file")):
        with installation_lock(settings, "the next start"):
            reconcile(settings)
        assert_whole(settings)
        outcomes.add((tuple(counted(settings)), tuple(told(settings, journal.WITHDRAWN))))
    assert outcomes == {((), ("done",))}


def test_a_reinstatement_killed_at_any_step_is_finished_and_recorded(settings, delivery) -> None:
    intake.withdraw(settings, delivery.batch, "the wrong file")
    outcomes = set()
    for _ in homes_after_each_kill(settings.home, lambda: intake.reinstate(settings, delivery.batch)):
        reconcile(settings)
        assert_whole(settings)
        outcomes.add(
            (landing.find_delivery(settings, delivery.batch).withdrawn, tuple(told(settings, journal.REINSTATED)))
        )
    assert outcomes == {("", ("done",))}


def test_a_delivery_killed_at_any_step_is_received_and_recorded_or_not_there(settings, tmp_path) -> None:
    file = sent(tmp_path, "b")
    settings.home.mkdir()
    outcomes = set()
    for _ in homes_after_each_kill(settings.home, lambda: landing.take_over(settings, contract(), "2023", [file])):
        reconcile(settings)
        assert_whole(settings)
        outcomes.add((len(landing.deliveries(settings)), tuple(told(settings, journal.RECEIVED))))
    assert outcomes == {(0, ()), (0, ("undone",)), (1, ("done",))}


def judge(settings: Settings, delivery: landing.Delivery) -> None:
    """The last step of taking in, as `intake.take_in` does it."""
    folder = batches.folder_of(settings.bronze, delivery)
    verdict = replace(batches.read_verdict(settings, folder), judged_at="2026-01-01")
    with journal.act(settings, journal.JUDGED, batch=delivery.batch, judged_at=verdict.judged_at):
        batches.place_batch(settings, delivery, folder, verdict)


def test_a_verdict_killed_at_any_step_is_recorded_or_the_batch_is_pending(settings, delivery) -> None:
    folder = batches.folder_of(settings.bronze, delivery)
    folder.parent.mkdir(parents=True, exist_ok=True)
    batches.folder_of(settings.validated, delivery).rename(folder)
    outcomes = set()
    for _ in homes_after_each_kill(settings.home, lambda: judge(settings, delivery)):
        reconcile(settings)
        assert_whole(settings)
        outcomes.add((tuple(counted(settings)), tuple(told(settings, journal.JUDGED))))
    assert outcomes == {((), ("undone",)), ((delivery.batch,), ("done",))}


HOLD = """
import sys, time
from hims_pipeline.settings import load_settings
from hims_pipeline.lake.lock import installation_lock
with installation_lock(load_settings({"HIMS_HOME": sys.argv[1]}), "a night"):
    print("held", flush=True)
    time.sleep(60)
"""


def during_a_night(settings: Settings, do: Callable[[], object]) -> float:
    """Seconds that something takes while another process holds the installation."""
    night = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.home)], stdout=subprocess.PIPE, text=True, cwd=settings.project
    )
    try:
        assert night.stdout is not None
        assert night.stdout.readline() == "held\n"
        started = time.monotonic()
        do()
        return time.monotonic() - started
    finally:
        night.kill()
        night.wait()


def test_a_batch_is_withdrawn_at_once_while_a_night_runs_and_its_files_stay_until_that_ends(settings, delivery) -> None:
    folder = batches.folder_of(settings.validated, delivery)
    assert during_a_night(settings, lambda: intake.withdraw(settings, delivery.batch, "the wrong file")) < 5
    assert counted(settings) == []
    assert folder.exists()
    reconcile(settings)
    assert folder.exists(), "only who holds the installation moves what a build may be reading"
    with installation_lock(settings, "the next start"):
        reconcile(settings)
    assert not folder.exists()
    assert batches.folder_of(settings.quarantine, delivery).exists()


def build_of(settings: Settings, *names: str) -> Build:
    folder = settings.build / "night"
    folder.mkdir(parents=True)
    write_json(folder / "inputs.json", [{"batch_id": name} for name in names])
    return Build(folder, settings.rendered, "inputs", trail.read_present_head(settings).number)


def test_a_night_publishes_nothing_made_of_a_batch_that_was_withdrawn_meanwhile(settings, delivery) -> None:
    build = build_of(settings, delivery.batch)
    refuse_overtaken(settings, build)
    intake.withdraw(settings, delivery.batch, "the wrong file")
    with pytest.raises(ReleaseError, match=r"was withdrawn while this was built \(the wrong file\)"):
        refuse_overtaken(settings, build)
    intake.reinstate(settings, delivery.batch)
    refuse_overtaken(settings, build)


def test_a_night_publishes_no_links_that_hold_a_withdrawn_batch(settings, delivery) -> None:
    links = "person_links/2024-01-01/abc"
    journal.record(settings, journal.LINKED, batch=links, batches=[delivery.batch])
    build = build_of(settings, links)
    refuse_overtaken(settings, build)
    intake.withdraw(settings, delivery.batch, "the wrong file")
    with pytest.raises(ReleaseError, match="links between registers still hold"):
        refuse_overtaken(settings, build)


def test_what_the_trail_says_holds_no_data(settings, delivery) -> None:
    intake.withdraw(settings, delivery.batch, "the wrong file")
    lines = journal.entries(settings)
    assert [one["event"] for one in lines[::2]] == [journal.RECEIVED, journal.WITHDRAWN]
    assert {name for one in lines for name in one} == {
        "number", "at", "by", "event", "state", "of", "before", "seal", "batch", "files", "bytes", "delivery_sha256",
        "sequence",
        "reason",
    }  # fmt: skip
