"""A night on the whole synthetic sample: every source gets in, and published figures come out again."""

import json

import pytest

from benchmarks.country import scores
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.synthetic.samples import SCALE, WRITERS


@pytest.fixture(scope="module")
def states(sample_night) -> dict[str, str]:
    found = json.loads(sample_night[0].hims("status", "--format", "json"))["batches"]
    return {one["batch"].rsplit("/", 1)[0]: one["state"] for one in found}


def test_every_source_of_the_sample_is_accepted_but_for_the_two_broken_months(states) -> None:
    refused = {batch for batch, state in states.items() if state != "accepted"}
    assert refused == {"border_crossings/2024-04", "border_crossings/2024-05"}
    assert {source for sources in WRITERS for source in sources} <= {batch.split("/")[0] for batch in states}


def test_every_national_source_has_a_sample(sample_night) -> None:
    contracts = load_contracts(sample_night[0].data)
    written = {source for sources in WRITERS for source in sources}
    assert {name for name, one in contracts.items() if one.data_kind == "synthetic"} - {"person_links"} == written


def test_published_figures_come_out_at_the_scale_of_the_sample(sample_night) -> None:
    found = [one for one in scores(sample_night[0].settings, SCALE) if one.data_kind != "aggregate"]
    assert len(found) > 100
    assert [(one.control_id, one.wanted, one.found) for one in found if not one.holds and not one.is_too_small] == []
