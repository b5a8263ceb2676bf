"""The workbook in which thresholds are edited, and reading it back as Excel in any language left it: decimal commas,
blanks between thousands, a list saved as CSV with semicolons, numbers that became days."""

import csv
import datetime as dt
import io
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from hims_pipeline.authoring.thresholds import Threshold, thresholds
from hims_pipeline.errors import HimsError
from hims_pipeline.workbook import write_workbook

SHEET = "thresholds"
HEADER = ("file", "rule", "what", "value", "condition", "says", "dit")
_BLANKS = " \u00a0\u202f'"


def write_thresholds(expectations: Path, target: Path) -> int:
    """Write all thresholds into a workbook (.xlsx), or a text with semicolons (.csv); returns how many.

    Raises:
        HimsError: another kind of file, or it cannot be written.
    """
    all_thresholds = thresholds(expectations)
    rows = [(one.file, one.code, one.what, one.value, one.condition, *one.sentence) for one in all_thresholds]
    try:
        if target.suffix.lower() == ".xlsx":
            write_workbook(target, SHEET, [HEADER, *rows])
        elif target.suffix.lower() == ".csv":
            with target.open("w", encoding="utf-8-sig", newline="") as file:
                csv.writer(file, delimiter=";").writerows([HEADER, *(map(_spell, row) for row in rows)])
        else:
            raise HimsError(f"{target.name}: thresholds are written as .xlsx or .csv.")
    except OSError as error:
        raise HimsError(f"{target} cannot be written: {error.strerror}.") from None
    return len(all_thresholds)


def _spell(cell: Any) -> str:
    """A cell of a list for a French Excel, which takes `0.5` for a text or a day. What begins as a formula is none."""
    text = str(cell).replace(".", ",") if isinstance(cell, int | float) else str(cell)
    return f"'{text}" if isinstance(cell, str) and text[:1] in "=+-@" else text


def read_thresholds(expectations: Path, source: Path) -> list[Threshold]:
    """The thresholds that a workbook or list has otherwise than the files have them.

    Raises:
        HimsError: all that is wrong in it, by row.
    """
    known = {(threshold.file, threshold.code, threshold.what): threshold for threshold in thresholds(expectations)}
    changed, wrong, seen = [], [], set()
    for number, row in enumerate(_rows(source), 2):
        if not any(str(cell or "").strip() for cell in row[:4]):
            continue
        place = tuple(str(cell or "").strip() for cell in row[:3])
        old = known.get(place)  # type: ignore[arg-type]
        value = _value(row[3] if len(row) > 3 else None)
        if old is None:
            wrong.append(f"row {number}: there is no threshold {' / '.join(place)}")
        elif place in seen:
            wrong.append(f"row {number}: {' / '.join(place)} stands twice")
        elif isinstance(value, str):
            wrong.append(f"row {number}: {' / '.join(place)} {value}")
        elif value != old.value:
            whole = isinstance(old.value, int) and value == int(value)
            changed.append(replace(old, value=int(value) if whole else value))
        seen.add(place)
    if wrong:
        raise HimsError(f"{source.name}: nothing was changed. " + "; ".join(wrong[:20]) + ".")
    return changed


def _rows(source: Path) -> list[list[Any]]:
    try:
        if source.suffix.lower() == ".csv":
            return _from_csv(source.read_bytes())
        from python_calamine import CalamineWorkbook

        rows = CalamineWorkbook.from_path(str(source)).get_sheet_by_name(SHEET).to_python(skip_empty_area=False)
    except OSError as error:
        raise HimsError(f"{source} cannot be read: {error.strerror}.") from None
    except BaseException as error:  # calamine panics as a PanicException, which is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | HimsError):
            raise
        raise HimsError(
            f"{source.name} is no workbook with a sheet {SHEET!r}; `hims gate export` writes one."
        ) from None
    return _rows_below_header(rows, source.name)


def _from_csv(content: bytes) -> list[list[Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # as Excel saves a list on Windows
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    return _rows_below_header(list(csv.reader(io.StringIO(text), delimiter=delimiter)), "the list")


def _rows_below_header(rows: list[list[Any]], name: str) -> list[list[Any]]:
    if not rows or tuple(str(cell).strip().lower() for cell in rows[0][:4]) != HEADER[:4]:
        raise HimsError(f"{name}: its first row must be {', '.join(HEADER[:4])}, as `hims gate export` writes it.")
    return rows[1:]


def _value(cell: Any) -> int | float | str:
    """A number as it stands in a cell, or what is wrong with it."""
    if isinstance(cell, bool):
        return "is no number"
    if isinstance(cell, int | float):
        return int(cell) if float(cell).is_integer() and abs(cell) < 1e15 else float(cell)
    if isinstance(cell, dt.date | dt.datetime | dt.time | dt.timedelta):
        return "became a day or a time: format the cell as a number and type it again"
    text = "".join(sign for sign in str(cell or "") if sign not in _BLANKS)
    if text.count(",") + text.count(".") > 1:
        return "has more than one decimal mark"
    share = text.endswith("%")
    try:
        number = float(text.rstrip("%").replace(",", "."))
    except ValueError:
        return "is empty" if not text else "is no number"
    if not isfinite(number):
        return "is no number"
    if share:
        return number / 100
    return int(number) if "," not in text and "." not in text and number.is_integer() else number
