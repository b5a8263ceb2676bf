"""The proof that a night ends with: only an intact release of the present inputs, or one that was chosen, is one."""

import pytest

from hims_pipeline.errors import ReleaseError
from hims_pipeline.release import acts, night_proof
from tests.release.conftest import make


@pytest.fixture
def inputs(monkeypatch):
    """Sets what the present batches, rules and code come to."""
    return lambda text: monkeypatch.setattr(night_proof, "inputs_sha256", lambda settings, rows: text)


def test_a_night_is_proven_by_an_intact_release_of_the_present_inputs(settings, inputs) -> None:
    with pytest.raises(ReleaseError, match="Nothing has been published"):
        night_proof.prove(settings)
    first = make(settings, "r000001")
    inputs("inputs of r000001")
    assert night_proof.prove(settings).release == first
    inputs("inputs of tonight")
    with pytest.raises(ReleaseError, match=r"The release r000001 of 2026\S+ stays; it does not hold tonight's deliver"):
        night_proof.prove(settings)
    inputs("inputs of r000001")
    (first.staff / "warehouse.duckdb").unlink()
    with pytest.raises(ReleaseError, match="r000001, is damaged: staff/warehouse"):
        night_proof.prove(settings)


def test_an_older_release_of_the_present_inputs_is_no_proof(settings, inputs) -> None:
    make(settings, "r000001")
    make(settings, "r000002")
    inputs("inputs of r000001")
    with pytest.raises(ReleaseError, match=r"r000002 of .* stays"):
        night_proof.prove(settings)


def test_a_release_that_was_chosen_stands_and_says_why(settings, inputs) -> None:
    first = make(settings, "r000001")
    make(settings, "r000002")
    acts.use_release(settings, "r000001", "a wrong figure")
    inputs("inputs of r000002")
    proven = night_proof.prove(settings)
    assert proven.release == first
    assert "`hims release use` chose it: r000002" in proven.why
    assert "a wrong figure" in proven.why
    inputs("inputs of tonight")
    with pytest.raises(ReleaseError, match="stays"):
        night_proof.prove(settings)
