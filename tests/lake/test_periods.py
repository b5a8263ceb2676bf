"""Periods as contracts spell them, and the days they cover."""

from datetime import date

import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake.periods import covers, is_period, periods_named, trouble_of_period
from hims_pipeline.settings import REPOSITORY

RGPH = load_contracts(REPOSITORY / "data")["rgph"]


def with_pattern(pattern: str, **more):
    return RGPH.model_copy(update={"period": RGPH.period.model_copy(update={"pattern": pattern, **more})})


@pytest.mark.parametrize(
    ("pattern", "period", "first", "last"),
    [
        ("year", "2023", date(2023, 1, 1), date(2023, 12, 31)),
        ("quarter", "2024Q1", date(2024, 1, 1), date(2024, 3, 31)),
        ("month", "2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("academic_year", "2023-24", date(2023, 10, 1), date(2024, 9, 30)),
        ("academic_year", "1999-00", date(1999, 10, 1), date(2000, 9, 30)),
        ("week", "2024-W01", date(2024, 1, 1), date(2024, 1, 7)),
        ("week", "2020-W53", date(2020, 12, 28), date(2021, 1, 3)),
        ("date", "2024-12-10", date(2024, 12, 10), date(2024, 12, 10)),
    ],
)
def test_days_of_a_period(pattern: str, period: str, first: date, last: date) -> None:
    assert covers(with_pattern(pattern), period) == (first, last)


@pytest.mark.parametrize(
    ("pattern", "period"),
    [
        ("academic_year", "2023-25"),
        ("week", "2021-W53"),
        ("week", "2024-W5"),
        ("date", "2024-02-30"),
        ("month", "2024-13"),
        ("quarter", "2024Q5"),
        ("year", "24"),
    ],
)
def test_what_is_no_period(pattern: str, period: str) -> None:
    assert not is_period(with_pattern(pattern), period)


def test_the_days_of_a_census_are_its_own() -> None:
    assert covers(RGPH, "2014") == (date(2014, 4, 23), date(2014, 4, 23))


@pytest.mark.parametrize(
    ("first_month", "first", "last"),
    [(9, date(2023, 9, 1), date(2024, 8, 31)), (7, date(2023, 7, 1), date(2024, 6, 30)),
     (3, date(2023, 3, 1), date(2024, 2, 29))],
)  # fmt: skip
def test_school_and_fiscal_years_begin_where_the_contract_says(first_month: int, first: date, last: date) -> None:
    assert covers(with_pattern("academic_year", first_month=first_month), "2023-24") == (first, last)


@pytest.mark.parametrize(
    ("pattern", "period"), [("year", "1445"), ("quarter", "1403Q1"), ("month", "0024-06"), ("date", "1445-09-01")]
)
def test_years_of_another_calendar_are_no_periods_of_ours(pattern: str, period: str) -> None:
    assert "another calendar" in trouble_of_period(with_pattern(pattern), period, date(2026, 1, 1))
    assert trouble_of_period(with_pattern(pattern), period.replace(period[:4], "2024"), date(2026, 1, 1)) == ""


@pytest.mark.parametrize(
    ("pattern", "name", "periods"),
    [("year", "rgph_2022_v3.csv", {"2022"}), ("year", "a2021-2022.csv", {"2021", "2022"}),
     ("year", "x20221.csv", set()), ("month", "b_2024-06-15.csv", {"2024-06"}),
     ("week", "w2024-W05.csv", {"2024-W05"}), ("academic_year", "s_2023-24.csv", {"2023-24"}),
     ("academic_year", "s_2023-25.csv", set()), ("quarter", "q_2024Q3.csv", {"2024Q3"})],
)  # fmt: skip
def test_periods_that_stand_in_a_name(pattern: str, name: str, periods: set[str]) -> None:
    assert periods_named(with_pattern(pattern), name) == periods
