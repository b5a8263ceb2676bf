"""Periods as contracts spell them, and the days they cover."""

from datetime import date

import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake.periods import covers, is_period
from hims_pipeline.settings import REPOSITORY

RGPH = load_contracts(REPOSITORY / "data")["rgph"]


def with_pattern(pattern: str):
    return RGPH.model_copy(update={"period": RGPH.period.model_copy(update={"pattern": pattern})})


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
