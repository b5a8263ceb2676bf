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

_SPSS_ORIGIN = np.datetime64("1582-10-14", "s")  # the Gregorian calendar's first day but one
_STATA_ORIGIN = np.datetime64("1960-01-01", "s")
_SPSS_DAYS = re.compile(r"(?:[AEJS]?DATE|QYR|MOYR|WKYR)\d*")
_SPSS_INSTANTS = re.compile(r"(?:DATETIME|YMDHMS)[\d.]*")
_SPSS_TIMES = re.compile(r"(?:TIME|DTIME|MTIME)[\d.]*")
_DAY = 86_400
ON_CALENDAR = r"(?s)(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}( .*)?|[^0-9-].*|"  # as text
_LAST = 9 * 10**12  # seconds, 285,000 years: what lies further is no count of them


@dataclass(frozen=True)
class Counted:
    """How a column counts: what it is, from when, and how many of its units are a second."""

    what: Literal["day", "instant", "time"]
    origin: np.datetime64
    per_second: float


def counted_as(program: str, form: str) -> Counted | None:
    """How a variable with this display format counts; None for plain numbers and texts."""
    if program == "spss":
        for pattern, what in ((_SPSS_DAYS, "day"), (_SPSS_INSTANTS, "instant"), (_SPSS_TIMES, "time")):
            if pattern.fullmatch(form.upper()):
                return Counted(what, _SPSS_ORIGIN, 1)  # type: ignore[arg-type]
        return None
    if form.startswith(("%td", "%d", "%-td", "%-d")):
        return Counted("day", _STATA_ORIGIN, 1 / _DAY)
    if form.lower().startswith(("%tc", "%-tc")):
        return Counted("instant", _STATA_ORIGIN, 1000)
    return None


def write_out(values: pd.Series, kind: Counted, date_format: str | None) -> pd.Series:
    """The texts of a column of counts: days as `date_format` (ISO without one), instants in ISO, times as H:MM:SS."""
    counts = values.to_numpy(dtype=float) / kind.per_second
    unique, places = np.unique(counts, return_inverse=True)
    texts = np.array([_text(count, kind, date_format) for count in unique], dtype=object)
    return pd.Series(texts[places], index=values.index, dtype=object)


def _text(seconds: float, kind: Counted, date_format: str | None) -> str | None:
    if np.isnan(seconds):
        return None
    if abs(seconds) > _LAST:
        return f"{seconds / _DAY:.0f} days from {kind.origin.astype('datetime64[D]')}"
    if kind.what == "time":
        return _time(seconds)
    moment = kind.origin.astype("datetime64[us]") + np.timedelta64(round(seconds * 1_000_000), "us")
    day = moment.astype("datetime64[D]")
    if day != moment:
        return str(moment).replace("T", " ").removesuffix(".000000")
    plain = day.item()  # a number where the year is beyond Python's calendar
    return plain.strftime(date_format) if date_format and isinstance(plain, dt.date) else str(day)


def _time(seconds: float) -> str:
    whole = int(abs(seconds))
    rest = abs(seconds) - whole
    sign = "-" if seconds < 0 else ""
    fraction = f"{rest:.6f}"[1:].rstrip("0") if rest > 5e-7 else ""
    return f"{sign}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{fraction}"
