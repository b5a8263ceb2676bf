"""Terms: what is past its own is destroyed whole, with a record, whatever is killed; and nothing else is."""

from dataclasses import replace
from datetime import date

import pytest

from hims_pipeline import intake, retention
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import journal, landing, tombstone
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.reconcile import reconcile
from hims_pipeline.settings import Settings
from tests.killed import homes_after_each_kill
from tests.linkage.conftest import link
from tests.linkage.test_rotation import hims

NUMBER = "90000001"


@pytest.fixture
def kept(keyed: Settings) -> Settings:
    """Two registers; the term of one of them, the census, has ended."""
    path = keyed.data / "contracts/census.yml"
    path.write_text(path.read_text().replace("retention_years: 1", "retention_years: 0"))
    return keyed


def destroy(settings: Settings):
    with installation_lock(settings, "test"):
        return retention.act_on_terms(settings, retention.plan_retention(settings), "the term ended")


def left_of(settings: Settings, batch: str) -> list[str]:
    """Files of a delivery outside the records that stay."""
    own = [path for path in settings.home.rglob("*") if path.is_file() and batch.split("/")[2] in str(path)]
    return [str(path) for path in own if "destroyed" not in path.parts]


def test_a_term_runs_from_the_day_of_receipt(kept) -> None:
    sent = landing.deliveries(kept, "consulate")[0]
    contract = load_contracts(kept.data)["consulate"]
    leap = replace(sent, received_at="2024-02-29T10:00:00+00:00")
    assert retention.term_ends(contract, leap) == date(2025, 3, 1)
    assert [one.delivery.source for one in retention.plan_retention(kept)] == ["census"]
    later = retention.plan_retention(kept, date(2100, 1, 1))
    assert {one.delivery.source for one in later} == {"census", "consulate", "person_links"}


def test_what_is_past_its_term_is_destroyed_with_a_record(kept) -> None:
    census = landing.deliveries(kept, "census")[0]
    assert census.batch in hims(kept, "retention", "plan").output
    assert intake.find_pending(kept) == []
    protocol = destroy(kept)
    assert left_of(kept, census.batch) == []
    assert all(NUMBER.encode() not in path.read_bytes() for path in kept.landing.rglob("census/**/*") if path.is_file())
    (stone,) = tombstone.tombstones(kept)
    assert (stone.batch, stone.rows, stone.sha256) == (census.batch, {"people": 2}, census.sha256)
    assert "census.csv" not in tombstone.place_of(kept, stone.batch).read_text()
    assert census.batch in protocol.read_text()
    assert "the term ended" in protocol.read_text()
    assert [one["batch"] for one in journal.done(kept, retention.DESTROYED)] == [census.batch]
    assert [(one.batch, one.state) for one in intake.find_destroyed(kept)] == [(census.batch, "destroyed")]
    assert intake.find_pending(kept) == []  # nothing is missing, nothing is read again
    assert landing.deliveries(kept, "person_links") == []  # its pairs held the census's pseudonyms
    link(kept)
    assert destroy(kept) is None


def test_killed_at_any_step_the_next_start_finishes_it(kept) -> None:
    census = landing.deliveries(kept, "census")[0]
    for _ in homes_after_each_kill(kept.home, lambda: destroy(kept)):
        with installation_lock(kept, "test"):
            reconcile(kept)
            destroy(kept)
        assert left_of(kept, census.batch) == []
        assert [one.batch for one in tombstone.tombstones(kept)] == [census.batch]
        assert journal.done(kept, retention.DESTROYED)[-1]["batch"] == census.batch
        assert all(state != journal.BEGUN for _, state in journal.acts(kept))


def test_without_a_reason_nothing_is_destroyed(kept) -> None:
    with pytest.raises(HimsError, match="--reason"):
        retention.act_on_terms(kept, retention.plan_retention(kept), " ")
    assert landing.deliveries(kept, "census")
