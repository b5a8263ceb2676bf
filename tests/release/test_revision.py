"""What moved since the last release: honest movement passes, and what nothing known explains is beyond its limit."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hims_pipeline.gates.revisions import CAUSES, MEASURES, judge_revision, load_revision_limits
from hims_pipeline.release import movements
from hims_pipeline.release.causes import BatchChange, Changes, compare_inputs
from tests.release.figures import CENSUS, Figure, scaled, write

CORRECTED = Changes((BatchChange("corrected_delivery", "rgph", "2024", "rgph/2024/b", "rgph/2024/a"),))
PERMITS = [
    Figure("B11", "permits", year, value, citizenship=one, records=int(value), unit="PERMITS")
    for year in (2022, 2023, 2024)
    for one, value in (("_T", 600.0), ("LBY", 300.0), ("FRA", 200.0), ("ITA", 100.0))
]
MIRROR = [
    Figure("A07", "mirror", year, value, partner=one, vintage="2023")
    for year in (2020, 2021)
    for one, value in (("_T", 900_000.0), ("FRA", 600_000.0), ("ITA", 200_000.0), ("DEU", 100_000.0))
]


@pytest.fixture
def beyond(settings, tmp_path: Path):
    """Which measures of which figures are beyond their limits, as the gate judges them."""

    def compare(old, new, changes=Changes()) -> set[tuple[str, str, str]]:  # noqa: B008
        limits = load_revision_limits(settings.expectations)
        paths = [write(tmp_path / side / "warehouse.duckdb", some) for side, some in (("old", old), ("new", new))]
        found = movements.find_movements(settings, *paths, changes, limits)
        outcome, numbers = judge_revision(settings, limits, movements.movement_evidence(found))
        assert outcome.accepted is not bool(numbers)
        return {(found[no].measure, found[no].indicator, found[no].area + found[no].about) for no in numbers}

    return compare


def new_period(source: str, period: str, kind="new_period", start=None, end=None) -> Changes:
    return Changes((BatchChange(kind, source, period, f"{source}/{period}/x", "", "", start, end),))


def test_nothing_that_did_not_move_is_beyond(beyond) -> None:
    assert beyond(CENSUS, CENSUS) == set()


def test_any_movement_that_nothing_explains_is_beyond(beyond) -> None:
    assert ("total", "P01", "TUN") in beyond(CENSUS, scaled(CENSUS, 1.001, indicator="P01", year=2014))
    assert beyond(CENSUS, scaled(CENSUS, 1.001, citizenship="ITA"))  # a figure of no weight too


def test_a_corrected_census_with_15_percent_fewer_foreigners_is_beyond(beyond) -> None:
    fewer = scaled(CENSUS, 0.85, indicator="A01", year=2024)
    assert ("total", "A01", "TUN") in beyond(CENSUS, fewer, CORRECTED)


def test_a_census_that_was_corrected_a_little_is_not(beyond) -> None:
    little = scaled(CENSUS, 0.98, indicator="A01", year=2024)
    assert beyond(CENSUS, scaled(little, 1.2, area="TN-12"), CORRECTED) == set()


def test_a_correction_explains_no_other_source_and_no_other_year(beyond) -> None:
    days = replace(CORRECTED.batches[0], start=date(2024, 1, 1), end=date(2024, 12, 31))
    old = [*CENSUS, Figure("A01", "survey", 2021, 1_000)]
    moved = scaled(old, 1.01, year=2014)
    assert ("total", "P01", "TUN") in beyond(old, moved, Changes((days,)))
    assert ("total", "A01", "TUN") in beyond(old, scaled(old, 1.01, source="survey"), Changes((days,)))
    assert beyond(old, scaled(old, 1.01, year=2024), Changes((days,))) == set()


def test_a_year_of_permits_without_one_country_is_beyond(beyond) -> None:
    before = [one for one in PERMITS if one.year < 2024]
    days = (date(2024, 1, 1), date(2024, 12, 31))
    changes = new_period("permits", "2024", "new_period", *days)
    assert beyond(before, PERMITS, changes) == set()  # the honest year
    lost = [one for one in PERMITS if (one.year, one.citizenship) != (2024, "LBY")]
    assert ("missing", "B11", "citizenship=LBY") in beyond(before, lost, changes)
    few = [one for one in PERMITS if one.citizenship != "_U"] + [
        Figure("B11", "permits", 2023, 12, citizenship="MLT", records=12, unit="PERMITS")
    ]
    assert beyond([one for one in few if one.year < 2024], few, changes) == set()  # of twelve, none may come


def test_a_mirror_edition_in_which_a_reporter_is_missing_is_beyond(beyond) -> None:
    """Editions that stand side by side, and one that takes the other's place."""
    newer = [replace(one, vintage="2024") for one in MIRROR]
    lost = [one for one in newer if one.partner != "ITA"]
    changes = new_period("mirror", "2024", "new_edition")
    assert beyond(MIRROR, [*MIRROR, *newer], changes) == set()
    assert ("missing", "A07", "counterpart_area=ITA") in beyond(MIRROR, [*MIRROR, *lost], changes)
    old, new = (
        [replace(one, source="oecd_migration", vintage=edition) for one in some]
        for some, edition in ((MIRROR, "2023"), (lost, "2024"))
    )
    changes = new_period("oecd_migration", "2024", "new_edition")
    assert ("missing", "A07", "counterpart_area=ITA") in beyond(old, new, changes)
    assert beyond(old, [replace(one, vintage="2024") for one in old], changes) == set()


def test_an_indicator_all_of_whose_figures_have_gone_is_beyond(beyond) -> None:
    left = [one for one in CENSUS if one.indicator != "A01"]
    assert {one[0] for one in beyond(CENSUS, left)} == {"gone"}
    assert beyond(CENSUS, left, CORRECTED)
    assert beyond(CENSUS, [replace(one, hidden=one.indicator == "A01") for one in CENSUS], CORRECTED) >= {
        ("hidden", "A01", "")
    }


def test_a_delivery_that_a_person_withdrew_may_take_its_figures_along(beyond) -> None:
    withdrawn = Changes((replace(CORRECTED.batches[0], cause="withdrawn_delivery"),))
    assert beyond(CENSUS, [one for one in CENSUS if one.year == 2014], withdrawn) == set()


def test_a_register_that_was_withdrawn_explains_figures_of_those_linked_to_it_and_no_others(settings) -> None:
    """Coverage of one register by another (E05) names the one, of the day of the links; the batch that left is of the
    other, and of other days."""
    behind = {"E05": ["person_links"], "P01": ["rgph"]}
    basis = {"files": {}, "models": {}, "indicators": {}, "versions": {}, "code": "", "behind": behind}
    days = {"period_start_date": "2024-01-01", "period_end_date": "2024-12-31"}
    census, cards = (
        {"source": source, "period": "2024", "batch_id": f"{source}/2024/a", **days}
        for source in ("rgph", "students_abroad")
    )
    before = {"inputs": [census, cards], "basis": basis}
    changes = compare_inputs(settings, before, [census], basis, {"students_abroad/2024/a": "a wrong file"})

    def explained(indicator: str) -> list[str]:
        start, end = date(2022, 12, 31), date(2022, 12, 31)
        return [cause for cause, _ in changes.causes_of_figure(indicator, "rgph", start, end)]

    assert explained("E05") == ["withdrawn_delivery"]
    assert explained("P01") == []


def test_a_population_times_one_and_a_half_is_beyond_new_or_revised(beyond) -> None:
    more = scaled(CENSUS, 1.5, indicator="P01", year=2024)
    assert ("total", "P01", "TUN") in beyond(CENSUS, more, CORRECTED)
    before = [one for one in CENSUS if one.year == 2014]
    far = scaled(CENSUS, 2.5, indicator="P01", year=2024)  # ten years apart
    days = (date(2024, 1, 1), date(2024, 12, 31))
    assert beyond(before, CENSUS, new_period("rgph", "2024", "new_period", *days)) == set()
    assert ("new_level", "P01", "TUN") in beyond(before, far, new_period("rgph", "2024", "new_period", *days))


def test_honest_news_holds_nothing(beyond) -> None:
    months = [Figure("B14", "border", 2024, 900.0 * month, month=month, records=100) for month in (1, 2, 3)]
    assert beyond([], CENSUS) == set()  # the first release
    assert beyond(CENSUS, [*CENSUS, *PERMITS], new_period("permits", "2024")) == set()  # a new source
    days = (date(2024, 3, 1), date(2024, 3, 28))
    assert beyond(months[:2], months, new_period("border", "2024-03", "new_period", *days)) == set()  # a new month
    # a country that reports for the first time, and is in the total
    added = [Figure("A07", "mirror", year, 250_000.0, partner="ESP", vintage="2023") for year in (2020, 2021)]
    grown = scaled(MIRROR, 1_150_000 / 900_000, partner="_T")
    assert beyond(MIRROR, [*grown, *added], new_period("mirror", "2023", "new_edition")) == set()


def test_small_countries_of_a_mirror_edition_do_not_hold_it(beyond) -> None:
    """A new year in which one of many leaps, and an edition that revises a figure of no weight."""
    many = [
        Figure("A11", "mirror", year, 100_000.0 if area == "DEU" else 200.0, area, vintage="2024")
        for year in (2022, 2023)
        for area in ("DEU", "NRU", "MLT")
    ]
    before = [one for one in many if one.year == 2022]
    leapt = scaled(many, 10, area="NRU", year=2023)
    assert beyond(before, leapt, new_period("mirror", "2024", "new_edition")) == set()
    assert beyond(many, scaled(many, 1.9, area="MLT"), new_period("mirror", "2024", "new_edition")) == set()
    assert beyond(many, scaled(many, 1.9, area="DEU"), new_period("mirror", "2024", "new_edition")) == {
        ("total", "A11", "DEU")
    }


def test_what_is_unexplained_is_seen_beside_much_that_is_explained(beyond) -> None:
    months = [
        Figure("B14", "border", 2024, 500.0, citizenship=f"C{no}", month=1, records=500, unit="PASSAGES")
        for no in range(1_500)
    ]
    moved = [replace(one, value=560.0) for one in months]
    changes = Changes((BatchChange("corrected_delivery", "border", "2024-01", "border/2024-01/b", "border/2024-01/a"),))
    old, new = [*CENSUS, *months], [*scaled(CENSUS, 1.001, citizenship="ITA", year=2014), *moved]
    assert beyond(old, new, changes) == {("part", "A01", "TUNcitizenship=ITA")}


def test_samples_are_given_their_chance(beyond) -> None:
    survey = [Figure("A05", "survey", 2021, 10_000.0, records=120, error=900.0)]
    changes = Changes((BatchChange("corrected_delivery", "survey", "2021", "survey/2021/b", "survey/2021/a"),))
    assert beyond(survey, scaled(survey, 0.85), changes) == set()
    assert beyond(survey, scaled(survey, 0.6), changes)


def test_each_cause_and_measure_has_its_limit(settings) -> None:
    limits = load_revision_limits(settings.expectations)
    assert set(limits.limits) == set(CAUSES)
    _, beyond = judge_revision(settings, limits, [])
    assert beyond == set()
    assert set(MEASURES) == {"total", "part", "gone", "hidden", "missing", "new_level"}
