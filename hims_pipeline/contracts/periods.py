"""How the periods of a source are spelt, by the `pattern` of its contract. Within a pattern, texts are in the order of
time. Not here: the days that a period covers, and whether it has begun (`lake.periods`).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date

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
