"""Two runs on one installation: what one does is never damage to the other."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hims_pipeline import intake
from hims_pipeline.lake import batches, landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.settings import Settings
from tests.lake.test_read_again import made, settings  # noqa: F401 fixtures

OTHER_RUN_SECONDS = 60


def judge_again(home: Settings, batch: str, has_gone_on: Any) -> None:
    """What another run does; it has its own process, and so its own hold on the lock. It goes on to where it waits for
    the lock, or to its end."""
    with installation_lock(home, "the other run", OTHER_RUN_SECONDS, lambda text: has_gone_on.set()):
        intake.take_in(home, landing.find_delivery(home, batch), lambda text: None)
    has_gone_on.set()


@pytest.mark.parametrize("ask", [intake.problems, intake.find_pending])
def test_a_batch_judged_while_its_records_are_read_is_not_damaged(
    settings: Settings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Settings], list],
) -> None:
    accepted = next(one for one in landing.deliveries(settings) if one.period == "2024")
    before = batches.prove_batch(settings, accepted).verdict
    apart = multiprocessing.get_context("spawn")
    has_gone_on = apart.Event()
    other = apart.Process(target=judge_again, args=(settings, accepted.batch, has_gone_on))
    read = landing.deliveries

    def read_meanwhile(*args, **kwargs):
        if other.pid is None:
            other.start()
            assert has_gone_on.wait(OTHER_RUN_SECONDS)
        return read(*args, **kwargs)

    monkeypatch.setattr(landing, "deliveries", read_meanwhile)
    found = ask(settings)
    other.join(OTHER_RUN_SECONDS)
    assert (found, other.exitcode) == ([], 0)
    after = batches.prove_batch(settings, accepted).verdict
    assert before
    assert after
    assert after.sha256 != before.sha256
    assert ask(settings) == []


def test_a_batch_on_its_way_to_its_place_is_not_damaged(
    settings: Settings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accepted = next(one for one in landing.deliveries(settings) if one.period == "2024")
    folder = batches.folder_of(settings.validated, accepted)
    read, looks = batches.read_batch_manifest, []

    def read_meanwhile(home: Settings, place: Path):
        looks.append(place)
        if len(looks) > 1:
            return read(home, place)
        away = folder.rename(folder.with_name(".moved"))
        try:
            return read(home, place)
        finally:
            away.rename(folder)

    monkeypatch.setattr(batches, "read_batch_manifest", read_meanwhile)
    found = batches.prove_batch(settings, accepted)
    assert (found.damage, found.batch is not None, len(looks)) == ("", True, 2)
