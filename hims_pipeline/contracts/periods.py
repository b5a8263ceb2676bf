"""How the periods of a source are spelt, by the `pattern` of its contract. Within a pattern, texts are in the order of
time, and cover days of the calendar. Not here: periods with days of their own, and whether one has begun
(`lake.periods`).
"""

import calendar
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

PATTERNS = {
    "year": (re.compile(r"([0-9]{4})"), "2024"),
    "quarter": (re.compile(r"([0-9]{4})Q([1-4])"), "2024Q1"),
    "month": (re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])"), "2024-06"),
    "week": (re.compile(r"([0-9]{4})-W(0[1-9]|[1-4][0-9]|5[0-3])"), "2024-W05"),
    "academic_year": (re.compile(r"([0-9]{4})-([0-9]{2})"), "2023-24"),
    "date": (re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"), "2024-12-10"),
}
SPELLING = {
    "year": "a year such as 2024",
    "quarter": "a quarter such as 2024Q1",
    "month": "a month such as 2024-06",
    "week": "a week by ISO 8601 such as 2024-W05",
    "academic_year": "an academic year such as 2023-24",
    "date": "a day such as 2024-12-10",
}


SCHOOL_STARTS = 10  # October, where a contract names no `first_month`
GREGORIAN = 1583  # the calendar's first whole year: a year before it is one of the Hijra, or of Persia


def calendar_days_of(pattern: str, period: str, first_month: int | None = None) -> tuple[date, date]:
    """First and last day of a period.

    Args:
        first_month: in which academic years begin.

    Raises:
        ValueError: it is not spelt by the pattern, or the calendar has no such period.
    """
    match = PATTERNS[pattern][0].fullmatch(period)
    if match is None:
        raise ValueError(f"{period!r} is not {SPELLING[pattern]}")
    year = int(match.group(1))
    if pattern == "date":
        return date.fromisoformat(period), date.fromisoformat(period)
    if pattern == "week":
        week = int(match.group(2))
        return date.fromisocalendar(year, week, 1), date.fromisocalendar(year, week, 7)
    if pattern == "academic_year":
        if int(match.group(2)) != (year + 1) % 100:
            raise ValueError(f"{period!r} is not {SPELLING[pattern]}")
        start = first_month or SCHOOL_STARTS
        return date(year, start, 1), date(year + 1, start, 1) - timedelta(1)
    if pattern == "year":
        return date(year, 1, 1), date(year, 12, 31)
    first, last = int(match.group(2)), int(match.group(2))
    if pattern == "quarter":
        first, last = 3 * first - 2, 3 * last
    return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])


def is_spelt(pattern: str, period: str) -> bool:
    """Is this a period of the calendar, spelt by a pattern?"""
    try:
        return bool(calendar_days_of(pattern, period))
    except ValueError:
        return False


def day_problems(reference_dates: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """What is wrong with the days that a contract gives its periods."""
    for period, days in reference_dates.items():
        try:
            first, last = (date.fromisoformat(day) for day in days)
        except ValueError:
            yield f"reference_dates: {period} has a day that is none of the calendar"
            continue
        if first > last:
            yield f"reference_dates: {period} ends before it begins"
        elif period[:4].isdecimal() and not {first.year, last.year} <= {int(period[:4]) + n for n in (-1, 0, 1)}:
            yield f"reference_dates: the days of {period} lie more than a year from it"
