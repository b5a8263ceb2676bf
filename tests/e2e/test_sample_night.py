"""A night on the whole synthetic sample: every source gets in, and published figures come out again."""

import json

import pytest

from benchmarks.country import scores
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.release.reader import connect
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


# At this scale they would give away those beside them: the few of 60 and more, the few students of other regions.
WITHHELD = {
    "TUN-C12-2021-Y_GE60",
    *(f"TUN-A13-{year}-SSA-{sector}" for year in (2020, 2021) for sector in ("PUB", "PRI")),
}


def test_published_figures_come_out_at_the_scale_of_the_sample(sample_night) -> None:
    found = [one for one in scores(sample_night[0].settings, SCALE) if one.data_kind != "aggregate"]
    assert len(found) > 100
    missed = [one for one in found if not one.holds and not one.is_too_small]
    assert {one.control_id for one in missed if one.found is None} == WITHHELD
    assert [(one.control_id, one.wanted, one.found) for one in missed if one.found is not None] == []


def test_one_questionnaire_in_five_tells_the_census_within_its_error(sample_night) -> None:
    """Of the figures by governorate and sex, about 95 of 100 intervals hold the census's own."""
    con = connect(settings=sample_night[0].settings)
    pairs = con.execute("""
        select fifth.ref_area, fifth.obs_value, fifth.ci_lower, fifth.ci_upper, whole.obs_value
        from indicator_value as fifth
        join indicator_value as whole using (indicator, time_period, ref_area, sex, age)
        where fifth.source = 'rgph_one_in_five' and whole.source = 'rgph'
            and indicator = 'P01' and age = '_T' and fifth.conf_status = 'F'
    """).fetchall()
    con.close()
    held = [lower <= whole <= upper for _, _, lower, upper, whole in pairs]
    assert len(pairs) > 70
    assert 0.88 < sum(held) / len(held) < 1
    [nation] = [(value, whole) for area, value, *_, whole in pairs if area == "TUN" and value > 100_000]
    assert nation[0] == pytest.approx(nation[1], rel=0.02)
    assert nation[0] != nation[1]


def test_imputed_answers_are_counted_with_their_effect(sample_night) -> None:
    con = connect(settings=sample_night[0].settings, staff=True)
    told = con.execute("""
        select correction_id, rows_matched, rows_changed, measure_after - measure_before, measure_after - rows_sent
        from conformed.corrections_applied where source = 'hims_survey'
    """).fetchall()
    unknown = con.execute("""
        select count(*) from conformed.fct_migrants
        where source = 'hims_survey' and education_level = '_U' and migrant_group in ('CURRENT_MIGRANT', 'NON_MIGRANT')
    """).fetchone()
    con.close()
    assert {name for name, *_ in told} == {"HIMS-EDUCATION-MIGRANTS", "HIMS-EDUCATION-NON-MIGRANTS"}
    for _, matched, changed, gained, lacking in told:
        assert matched == changed == gained > 0
        assert lacking == 0
    assert unknown == (0,)
