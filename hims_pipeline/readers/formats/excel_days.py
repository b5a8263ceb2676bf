"""Days that the library does not tell from others: day 60 of Excel's calendar, 29 February 1900, which there never was
and for which it gives the day before; days before the calendar begins, of which it gives the time of day alone; and in
a workbook that counts from 1904 the first day, for which it gives midnight. Which of them a cell holds is asked of the
file itself, where that may be. Not here: other cells that the library does not tell (`excel_look`).
"""

import contextlib
import datetime as dt
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hims_pipeline.readers.formats.excel_look import column_of, part_of, row_blocks

DOUBTFUL = dt.date(1900, 2, 28)
FIRST_OF_1904 = dt.date(1904, 1, 1)
_UNREAL = 60
_CELL = re.compile(
    rb"""<(?:\w+:)?c\b[^>]*?\br=["']([A-Z]{1,3})(\d+)["'][^>]*>(?:(?!</?(?:\w+:)?c\b).)*?<(?:\w+:)?v>\s*(-[\d.]+|60(?:\.\d+)?)[eE<\s]""",
    re.DOTALL,
)

Place = tuple[int, int]  # row from 1, column from 0


def is_doubtful(cell: Any) -> bool:
    """Is this a day that may be day 60, or a time of day that may be a day before the calendar?"""
    return isinstance(cell, dt.time) or (cell.date() if isinstance(cell, dt.datetime) else cell) == DOUBTFUL


def find_unreal_days(path: Path, kind: str, sheet: str, places: Iterable[Place]) -> set[Place]:
    """The cells, of those in which a library saw what is doubtful, that hold day 60 of the calendar or one before it.

    Args:
        kind: `excel`, `office` or `old_office`, by the file's first bytes; OpenDocument writes days out.
    """
    asked = set(places)
    if not asked or kind == "office":
        return set()
    return asked & set(_unreal_in_xls(path, sheet, asked) if kind == "old_office" else _unreal_in_xlsx(path, sheet))


def _unreal_in_xlsx(path: Path, sheet: str) -> Iterator[Place]:
    with zipfile.ZipFile(path) as archive:
        for rows in row_blocks(archive, part_of(archive, sheet)):
            yield from ((int(row), column_of(letters)) for letters, row, _ in _CELL.findall(rows))


def _unreal_in_xls(path: Path, sheet: str, asked: set[Place]) -> Iterator[Place]:
    import xlrd

    with contextlib.suppress(Exception), xlrd.open_workbook(str(path), on_demand=True) as book:
        page = book.sheet_by_name(sheet)
        for row, column in asked:
            serial = page.cell_value(row - 1, column)
            if serial < 0 or int(serial) == _UNREAL:
                yield row, column
