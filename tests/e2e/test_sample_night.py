"""A night on the whole synthetic sample: every source gets in, and published figures come out again."""

import json

import pytest

from benchmarks.country import scores
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates.suites import load_suite
from hims_pipeline.release.reader import connect
from hims_pipeline.release.store import current_release
from hims_synthetic.samples import SCALE, WRITERS


@pytest.fixture(scope="module")
def states(whole_night) -> dict[str, str]:
    found = json.loads(whole_night[0].hims("status", "--format", "json"))["batches"]
    return {one["batch"].rsplit("/", 1)[0]: one["state"] for one in found}


def test_every_source_of_the_sample_is_accepted_but_for_the_two_broken_months(states) -> None:
    own = {source for sources in WRITERS for source in sources}
    refused = {batch for batch, state in states.items() if state != "accepted" and batch.split("/")[0] in own}
    assert refused == {"border_crossings/2024-04", "border_crossings/2024-05"}
    assert own <= {batch.split("/")[0] for batch in states}


def test_every_national_source_has_a_sample(whole_night) -> None:
    contracts = load_contracts(whole_night[0].data)
    written = {source for sources in WRITERS for source in sources}
    assert {name for name, one in contracts.items() if one.data_kind == "synthetic"} - {"person_links"} == written


# At this scale they would give away those beside them: the few of 60 and more, the few students of other regions.
WITHHELD = {
    "TUN-C12-2021-Y_GE60",
    *(f"TUN-A13-{year}-SSA-{sector}" for year in (2020, 2021) for sector in ("PUB", "PRI")),
}


def test_published_figures_come_out_at_the_scale_of_the_sample(whole_night) -> None:
    found = [one for one in scores(whole_night[0].settings, SCALE) if one.data_kind != "aggregate"]
    assert len(found) > 100
    missed = [one for one in found if not one.holds and not one.is_too_small]
    assert {one.control_id for one in missed if one.found is None} == WITHHELD
    assert [(one.control_id, one.wanted, one.found) for one in missed if one.found is not None] == []


def test_one_questionnaire_in_five_tells_the_census_within_its_error(whole_night) -> None:
    """Of the figures by governorate and sex, about 95 of 100 intervals hold the census's own."""
    con = connect(settings=whole_night[0].settings)
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


def test_imputed_answers_are_counted_with_their_effect(whole_night) -> None:
    con = connect(settings=whole_night[0].settings, staff=True)
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


OF_THE_COUNTRY = "(ref_area = 'TUN' or ref_area like 'TN-%')"


@pytest.fixture(scope="module")
def headline(whole_night):
    with connect(settings=whole_night[0].settings) as con:
        columns = [name for name, *_ in con.execute("describe indicator_series").fetchall()]
        keys = {"series_no", "series_key", "question_no"}
        chosen = keys | {"source", "universe", "duration_rule", "data_kind", "boundary_version"}
        yield con, [name for name in columns if name not in chosen] + ["time_period", "answers_for"]


def test_each_question_has_one_headline(headline) -> None:
    con, question = headline
    rows, questions = con.execute(
        f"select count(*), count(distinct ({', '.join(question)})) from v_headline where {OF_THE_COUNTRY}"
    ).fetchall()[0]
    assert rows == questions > 1000
    whole, numbers = con.execute(
        "select count(*), count(distinct (question_no, time_period)) from v_headline"
    ).fetchall()[0]
    assert whole == numbers >= rows


def test_headlines_of_the_areas_of_a_level_add_up_to_the_country(headline) -> None:
    """Where none is withheld exactly, else to no more; of the governorates of 1994 too, one of which became two."""
    con, question = headline
    same = [name for name in question if name not in ("ref_area", "level")]
    sums = con.execute(f"""
        with figures as (
            select v_headline.*, areas.country_code from v_headline
            join reference.areas on areas.area_code = v_headline.ref_area
            where unit_measure = 'PERSONS' and {OF_THE_COUNTRY}
        ),
        withheld as (
            select distinct country_code, series.level, indicator, time_period, cell from indicator_value as series
            join reference.areas on areas.area_code = series.ref_area where obs_value is null and {OF_THE_COUNTRY}
        ),
        sums as (
            select {", ".join(same)}, level, country_code, sum(obs_value) as total, list(distinct source) as sources
            from figures where level != 'country' group by all
        )
        select sums.indicator, sums.level, sums.time_period, total, country.obs_value,
            (sums.country_code, sums.level, sums.indicator, sums.time_period, sums.cell) not in
                (select (country_code, level, indicator, time_period, cell) from withheld) as is_whole
        from sums join figures as country on country.level = 'country' and country.ref_area = sums.country_code
            and sums.sources = [country.source]
            and {" and ".join(f"sums.{name} is not distinct from country.{name}" for name in same)}
    """).fetchall()
    assert [one for one in sums if one[3] > one[4] + 0.5] == []
    whole = [one for one in sums if one[5]]
    assert [one for one in whole if abs(one[3] - one[4]) > 0.5] == []
    assert ("P01", "governorate", "1994") in {one[:3] for one in whole}
    assert len({(code, level) for code, level, *_ in whole}) > 4


def test_what_judged_the_release_can_be_read_rule_by_rule(whole_night) -> None:
    pages = current_release(whole_night[0].settings).staff / "data_docs"
    assert {path.name for path in pages.iterdir()} >= {"warehouse.html", "release.html"}
    suite = load_suite(whole_night[0].settings.expectations / "release.json")
    text = (pages / "release.html").read_text(encoding="utf-8")
    assert [one.meta.code for one in suite.expectations if one.meta.code not in text] == []
