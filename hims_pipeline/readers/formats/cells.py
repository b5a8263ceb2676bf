"""A cell of a workbook, or a value of a file with types, as the text that every format is checked by."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from hims_pipeline.contracts.formats import Format

MOST = 10**15  # whole numbers up to here have all of their digits in a float, and in Excel

# With its T: a span of days alone (`P3D`) looks like a code that somebody typed.
_SPAN = re.compile(r"(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?")


def as_span(cell: Any) -> Any:
    """A cell of an OpenDocument sheet; a span of time that the library leaves as the file has it (`PT25H03M00S`), since
    it is no time of a day, becomes one."""
    if not isinstance(cell, str) or not cell.startswith(("P", "-P")) or not (match := _SPAN.fullmatch(cell)):
        return cell
    sign, *parts = match.groups()
    if not any(parts):
        return cell
    days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in parts)
    span = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return clock_text(-span if sign else span)


def _write_out(text: str) -> str:
    """A number near zero without its exponent: `0.00001`, as people write it, for 1e-05."""
    return format(Decimal(text), "f") if "e-" in text else text


def clock_text(seconds: float) -> str:
    """A span of time as hours, minutes and seconds, whatever days there are in it: `25:03:00`."""
    whole = int(abs(seconds))
    rest = abs(seconds) - whole
    sign = "-" if seconds < 0 else ""
    fraction = f"{rest:.6f}"[1:].rstrip("0") if rest > 5e-7 else ""
    return f"{sign}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{fraction}"


def text_of(cell: Any, form: Format, date_format: str | None = None) -> str:
    """A cell as text: `12` for a whole number, dates as `date_format` or ISO, spans of time as
    hours, true and false in lower case."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float | int):
        text = str(int(cell)) if float(cell).is_integer() and abs(cell) < MOST else _write_out(repr(cell))
        return text if form.decimal == "." else text.replace(".", ",")
    if isinstance(cell, dt.timedelta):
        return clock_text(cell.total_seconds())
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.date):
        return cell.strftime(date_format) if date_format else cell.isoformat()
    return "" if cell is None else str(cell)
