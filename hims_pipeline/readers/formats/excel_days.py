"""Day 60 of Excel's calendar, 29 February 1900, which there never was: the library gives the day before for it, as it
does for day 59. Which of the two a cell holds is asked of the file itself, where that day occurs. Not here: other cells
that the library does not tell (`excel_look`).
"""

import contextlib
import datetime as dt
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hims_pipeline.readers.formats.excel_look import column_of, part_of, row_blocks

DOUBTFUL = dt.date(1900, 2, 28)
_UNREAL = 60
_CELL = re.compile(
    rb"""<(?:\w+:)?c\b[^>]*?\br=["']([A-Z]{1,3})(\d+)["'][^>]*>(?:(?!</?(?:\w+:)?c\b).)*?<(?:\w+:)?v>\s*60(?:\.\d+)?\s*<""",
    re.DOTALL,
)

Place = tuple[int, int]  # row from 1, column from 0


def is_doubtful(cell: Any) -> bool:
    """Is this a day that may be day 60?"""
    return (cell.date() if isinstance(cell, dt.datetime) else cell) == DOUBTFUL


def find_unreal_days(path: Path, kind: str, sheet: str, places: Iterable[Place]) -> set[Place]:
    """The cells, of those in which a library saw the doubtful day, that hold day 60 of the calendar.

    Args:
        kind: `excel`, `office` or `old_office`, by the file's first bytes; OpenDocument writes days out.
    """
    asked = set(places)
    if not asked or kind == "office":
        return set()
    if kind == "old_office":
        return {place for place in asked if _serial_in_xls(path, sheet, place) == _UNREAL}
    with zipfile.ZipFile(path) as archive:
        unreal = {
            (int(row), column_of(letters))
            for rows in row_blocks(archive, part_of(archive, sheet))
            for letters, row in _CELL.findall(rows)
        }
    return asked & unreal


def _serial_in_xls(path: Path, sheet: str, place: Place) -> int | None:
    import xlrd

    with contextlib.suppress(Exception), xlrd.open_workbook(str(path), on_demand=True) as book:
        return int(book.sheet_by_name(sheet).cell_value(place[0] - 1, place[1]))
    return None
