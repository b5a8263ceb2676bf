"""Days and times of SPSS and Stata, which their files keep as counts from an origin, written out as texts.

No library does it here: one that meets a day of the year 201416 raises, and ends the reading of the whole file. A count
beyond the calendar is written as the day it would be and fails its type check like any misfit, with column and line.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from hims_pipeline.readers.formats.cells import clock_text

_SPSS_ORIGIN = np.datetime64("1582-10-14", "s")  # the Gregorian calendar's first day but one
_STATA_ORIGIN = np.datetime64("1960-01-01", "s")
_SPSS_DAYS = re.compile(r"(?:[AEJS]?DATE|QYR|MOYR|WKYR)\d*")
_SPSS_INSTANTS = re.compile(r"(?:DATETIME|YMDHMS)[\d.]*")
_SPSS_TIMES = re.compile(r"(?:TIME|DTIME|MTIME)[\d.]*")
_DAY = 86_400
_PER_YEAR = {"w": 52, "m": 12, "q": 4, "h": 2}  # of Stata: weeks, months, quarters and halves of a year, from 1960
# The first days behind a leap second, which Stata's %tC counts; none has been added since.
_BEHIND_LEAPS = np.array(
    [f"{year}-01" for year in (*range(1973, 1981), 1988, 1990, 1991, 1996, 1999, 2006, 2009, 2017)]
    + [f"{year}-07" for year in (1972, 1981, 1982, 1983, 1985, 1992, 1993, 1994, 1997, 2012, 2015)],
    "datetime64[s]",
)
_LEAPS = (np.sort(_BEHIND_LEAPS) - _STATA_ORIGIN).astype(float) + np.arange(len(_BEHIND_LEAPS))
ON_CALENDAR = r"(?s)(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}( .*)?|[^0-9-].*|"  # as text
_LAST = 9 * 10**12  # seconds, 285,000 years: what lies further is no count of them


@dataclass(frozen=True)
class Counted:
    """How a column counts: what it is, from when, and how many of its units are a second.

    Args:
        per_year: of units that are parts of a year, how many are one; 0 for seconds.
        leaps: whether leap seconds are counted.
    """

    what: Literal["day", "instant", "time"]
    origin: np.datetime64
    per_second: float = 1
    per_year: int = 0
    leaps: bool = False


def counted_as(program: str, form: str) -> Counted | None:
    """How a variable with this display format counts; None for plain numbers and texts."""
    if program == "spss":
        for pattern, what in ((_SPSS_DAYS, "day"), (_SPSS_INSTANTS, "instant"), (_SPSS_TIMES, "time")):
            if pattern.fullmatch(form.upper()):
                return Counted(what, _SPSS_ORIGIN)  # type: ignore[arg-type]
        return None
    if form.startswith(("%td", "%d", "%-td", "%-d")):
        return Counted("day", _STATA_ORIGIN, 1 / _DAY)
    if form.lower().startswith(("%tc", "%-tc")):
        return Counted("instant", _STATA_ORIGIN, 1000, leaps="C" in form[:4])
    if part := re.match("%-?t([wmqh])", form):
        return Counted("day", _STATA_ORIGIN, per_year=_PER_YEAR[part[1]])
    return None


def write_out(values: pd.Series, kind: Counted, date_format: str | None) -> pd.Series:
    """The texts of a column of counts: days as `date_format` (ISO without one), instants in ISO, times as H:MM:SS. A
    week, month, quarter or half of a year is its first day."""
    counts = values.to_numpy(dtype=float) / kind.per_second
    if kind.leaps:
        counts -= np.searchsorted(_LEAPS, counts, side="right")
    unique, places = np.unique(counts, return_inverse=True)
    texts = np.array([_text(count, kind, date_format) for count in unique], dtype=object)
    return pd.Series(texts[places], index=values.index, dtype=object)


def _text(seconds: float, kind: Counted, date_format: str | None) -> str | None:
    if np.isnan(seconds):
        return None
    if kind.per_year:
        if abs(seconds) > _LAST / _DAY or seconds != int(seconds):
            return f"{seconds:.15g} from 1960"
        seconds = _first_second(int(seconds), kind)
    if abs(seconds) > _LAST:
        return f"{seconds / _DAY:.0f} days from {kind.origin.astype('datetime64[D]')}"
    if kind.what == "time":
        return clock_text(seconds)
    moment = kind.origin.astype("datetime64[us]") + np.timedelta64(round(seconds * 1_000_000), "us")
    day = moment.astype("datetime64[D]")
    if day != moment:
        return str(moment).replace("T", " ").removesuffix(".000000")
    plain = day.item()  # a number where the year is beyond Python's calendar
    return plain.strftime(date_format) if date_format and isinstance(plain, dt.date) else str(day)


def _first_second(count: int, kind: Counted) -> float:
    """Seconds from the origin to the first day of a part of a year; weeks begin anew with each year."""
    years, part = divmod(count, kind.per_year)
    begin = np.datetime64(1960 + years - 1970, "Y").astype("datetime64[M]")
    months, weeks = (0, part) if kind.per_year == 52 else (part * 12 // kind.per_year, 0)
    day = (begin + months).astype("datetime64[D]") + 7 * weeks
    return float((day - kind.origin.astype("datetime64[D]")).astype(int)) * _DAY
