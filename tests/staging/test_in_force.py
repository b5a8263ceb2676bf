"""A slip in what people edit for a source: its figures go on by what last held, and only new deliveries wait."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import caveats
from hims_pipeline.scrub import scrub_parts
from hims_pipeline.settings import Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.staging.in_force import RECORD, find_in_force, keep_contracts
from hims_pipeline.staging.inputs import current_batches, input_rows
from hims_pipeline.staging.render import state
from tests.linkage.conftest import installation, send

CORRECTIONS = """
corrections:
  - id: CENSUS-TWICE
    kind: correction
    entity: people
    periods: ["2024"]
    matches: {passport_no: [x]}
    drop: true
    reason: {en: One is twice}
    provided_by: Office
    status: agreed
    guard: {minimum: 1, maximum: 1}
"""


def contract(settings: Settings) -> Path:
    return settings.data / "contracts/census.yml"


def corrections(settings: Settings) -> Path:
    return settings.data / "corrections/census.yml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


SLIPS: dict[str, Callable[[Settings], None]] = {
    "no YAML": lambda settings: edit(contract(settings), "entities:", "entities: ["),
    "an unknown word": lambda settings: edit(contract(settings), "cadence: annual", "cadence: yearly"),
    "no UTF-8": lambda settings: contract(settings).write_bytes(b"source: \xff"),
    "an empty file": lambda settings: contract(settings).write_bytes(b""),
    "a correction of a column that is not there": lambda settings: edit(
        corrections(settings), "passport_no: [x]", "passport: [x]"
    ),
    "a correction without a reason": lambda settings: edit(corrections(settings), "    reason: {en: One is twice}", ""),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """One batch that counts, judged by a contract with a correction."""
    made = installation(tmp_path)
    corrections(made).parent.mkdir()
    corrections(made).write_text(CORRECTIONS, encoding="utf-8")
    send(made, "census", ["90000001"])
    keep_contracts(made)
    return made


@pytest.mark.parametrize("slip", SLIPS)
def test_figures_go_on_by_what_last_held(settings, slip) -> None:
    before, rows = find_in_force(settings), input_rows(settings)
    SLIPS[slip](settings)
    now = find_in_force(settings)
    assert "census" in broken_sources(settings)
    assert (now.contracts, now.corrections) == (before.contracts, before.corrections)
    assert now.former == {"census"}
    assert input_rows(settings) == rows
    assert {one.state for one in intake.states(settings)} == {"accepted"}
    known = caveats.caveats_of(settings, current_batches(settings))
    assert known["by_former_contract"] == ["census"]
    assert "- census: what is edited for it does not hold" in caveats.caveat_notes(known)


def test_new_deliveries_wait_until_it_holds_again(settings, tmp_path) -> None:
    SLIPS["an unknown word"](settings)
    file = tmp_path / "more.csv"
    file.write_text("cin,passport_no\n90000002,\n", encoding="utf-8")
    with installation_lock(settings, "test"):
        landing.take_over(settings, find_in_force(settings).contracts["census"], "2025", [file])
    assert intake.find_pending(settings) == []
    edit(contract(settings), "cadence: yearly", "cadence: annual")
    assert [one.delivery.period for one in intake.find_pending(settings)] == ["2025"]
    assert find_in_force(settings).former == frozenset()


def test_night_after_night_it_is_still_that_which_held(settings) -> None:
    before = find_in_force(settings).contracts["census"]
    SLIPS["no YAML"](settings)
    first = state(settings)
    keep_contracts(settings)
    keep_contracts(settings)
    assert find_in_force(settings).contracts["census"] == before
    assert state(settings) == first


def test_a_contract_that_was_taken_out_is_no_slip(settings) -> None:
    contract(settings).unlink()
    assert "census" not in find_in_force(settings).contracts
    assert input_rows(settings) == []


def test_what_never_held_is_not_in_force(settings) -> None:
    (settings.data / "contracts/fourth.yml").write_text("source: fourth\n", encoding="utf-8")
    assert "fourth" in broken_sources(settings)
    assert "fourth" not in find_in_force(settings).contracts


def test_a_build_is_another_where_another_contract_stands_for_a_broken_one(settings) -> None:
    SLIPS["no YAML"](settings)
    first = state(settings)
    (settings.kept / RECORD).unlink()
    assert state(settings) != first
    assert "census" not in find_in_force(settings).contracts


def test_an_edited_record_counts_for_nothing_and_a_scrub_tells_it(settings) -> None:
    edit(settings.kept / RECORD, "cadence: annual", "cadence: monthly")
    assert [line for line in scrub_parts(settings, lambda text: None).damage if RECORD in line]
    SLIPS["no YAML"](settings)
    assert "census" not in find_in_force(settings).contracts


def test_the_record_is_written_anew_once_contracts_hold(settings) -> None:
    (settings.kept / RECORD).write_bytes(b"{}")
    keep_contracts(settings)
    SLIPS["no YAML"](settings)
    assert find_in_force(settings).former == {"census"}
