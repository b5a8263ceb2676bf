"""Periods: how they are spelt and which days they cover."""

import calendar
import re
from datetime import date

from hims_pipeline.contracts.model import Contract

PATTERNS = {
    "year": (re.compile(r"(\d{4})"), "2024"),
    "quarter": (re.compile(r"(\d{4})-?Q([1-4])"), "2024Q1"),
    "month": (re.compile(r"(\d{4})-(0[1-9]|1[0-2])"), "2024-06"),
    "academic_year": (re.compile(r"(\d{4})-(\d{2})"), "2023-24"),
    "date": (re.compile(r"(\d{4})-(\d{2})-(\d{2})"), "2024-12-10"),
}
SPELLING = {
    "year": "a year such as 2024",
    "quarter": "a quarter such as 2024Q1",
    "month": "a month such as 2024-06",
    "academic_year": "an academic year such as 2023-24",
    "date": "a day such as 2024-12-10",
}
SCHOOL_STARTS = 10  # October


def is_period(contract: Contract, period: str) -> bool:
    try:
        return bool(covers(contract, period))
    except ValueError:
        return False


def covers(contract: Contract, period: str) -> tuple[date, date]:
    """First and last day of a period; a census has its own dates in the contract's `reference_dates`.

    Raises:
        ValueError: the period is not spelt as the contract says.
    """
    if period in contract.reference_dates:
        start, end = contract.reference_dates[period]
        return date.fromisoformat(start), date.fromisoformat(end)
    pattern = contract.period.pattern
    match = PATTERNS[pattern][0].fullmatch(period)
    if match is None:
        raise ValueError(f"{period!r} is not {SPELLING[pattern]}")
    year = int(match.group(1))
    if pattern == "date":
        return date.fromisoformat(period), date.fromisoformat(period)
    if pattern == "academic_year":
        if int(match.group(2)) != (year + 1) % 100:
            raise ValueError(f"{period!r} is not {SPELLING[pattern]}")
        return date(year, SCHOOL_STARTS, 1), date(year + 1, SCHOOL_STARTS - 1, 30)
    if pattern == "year":
        return date(year, 1, 1), date(year, 12, 31)
    first, last = int(match.group(2)), int(match.group(2))
    if pattern == "quarter":
        first, last = 3 * first - 2, 3 * last
    return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])
