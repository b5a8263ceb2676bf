"""Excel: one sheet, its cells as the texts that every format is checked by.

Excel knows neither whole numbers nor types of columns, so a whole number is written `12`, a day as the contract's dates
are. `_line` is the row that the sheet shows. What the library is silent about (errors, hidden rows, cells that stand
for those beside them) is looked for by `excel_look`, and refuses the sheet unless the contract says what it means.
"""

import csv
import datetime as dt
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import python_calamine as calamine

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import MAXIMUM_RATIO, RATIO_FROM_BYTES, Member
from hims_pipeline.readers.files.headings import (
    CELL,
    HEADING,
    fit_names,
    joined_names,
    long_places,
    names_before_headings,
)
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.findings import block, refuses
from hims_pipeline.readers.formats.cells import as_span, text_of
from hims_pipeline.readers.formats.excel_checks import Row, check_sheet, doubtful_days, fill_down_names
from hims_pipeline.readers.formats.excel_days import FIRST_OF_1904, find_unreal_days
from hims_pipeline.readers.formats.excel_look import COUNTED_ROWS, check_numbers, look_at
from hims_pipeline.readers.formats.look import Look, Range
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import numbered_part
from hims_pipeline.settings import Settings
from hims_pipeline.words import our_text, senders_text, words

_NUMBERS = (bool, int, float, dt.date, dt.time, dt.timedelta)
_ERRORS = (
    calamine.CalamineError,
    calamine.XmlError,
    calamine.ZipError,
    OSError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Sheet:
    """One sheet: its rows, merged cells, and what the second look at it saw."""

    name: str
    rows: list[Row]
    merged: list[Range]
    look: Look


def open_table(
    _settings: Settings, shape: TableShape, member: Member, scratch: Path
) -> tuple[Table | None, list[Finding]]:
    """The table of a sheet, or what is wrong with its envelope."""
    try:
        kind = _check_kind(shape, member.path)
        sheet = open_sheet(member.path, shape.format)
        look = sheet.look
        names, data = _header(shape, sheet.rows)
        shape, messages = fit_names(shape, names, member.shown) if shape.format.header else (shape, [])
        if refuses(messages):
            return None, messages
        if shape.format.stop_at_blank:
            data = _drop_notes(data)
        width = len(names) if shape.format.header else len(shape.header)
        unreal = find_unreal_days(member.path, kind, sheet.name, doubtful_days(shape, data, width))
        messages += check_sheet(shape, [*sheet.merged, *look.merged], look, unreal, data, width, member)
        if refuses(messages):
            return None, messages
        data = [row for row in _fill_down(shape, data) if not _is_skipped(shape, look, row)]
        return _table(shape, names, _name_first_day(shape, data) if look.since_1904 else data, scratch), messages
    except DataError as error:
        return None, [block(error.rule, error.message, member.shown, entity=shape.name)]


def open_sheet(path: Path, form: Format) -> Sheet:
    """The sheet that a format names, or else the first one that is shown; blank rows at its end are left out.

    Raises:
        DataError: the workbook cannot be opened or is not safe to read, or has no such sheet.
    """
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        shown = [
            one.name
            for one in book.sheets_metadata
            if one.visible == calamine.SheetVisibleEnum.Visible and one.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        if form.sheet is None and not shown:
            raise DataError("ENVELOPE-SHEET", words("shows no sheet of cells; all are hidden, or charts"))
        name = form.sheet if form.sheet is not None else shown[0]
        if name not in book.sheet_names:
            others = senders_text(", ".join(book.sheet_names), f"{len(book.sheet_names)} other(s)")
            raise DataError(
                "ENVELOPE-SHEET", words("has no sheet {name}, only {others}", name=our_text(repr(name)), others=others)
            )
        look = look_at(path, kind_of(path), name)  # before the cells: one far from the others takes all memory
        page = book.get_sheet_by_name(name)
        cells, merged = page.to_python(skip_empty_area=False), list(page.merged_cell_ranges or [])
    except calamine.PasswordError:
        raise DataError("ENVELOPE-KIND", words("is protected by a password; send it without one")) from None
    except _ERRORS:
        raise DataError("ENVELOPE-DAMAGED", words("is incomplete or damaged; send it again")) from None
    if kind_of(path) == "office":
        cells = [[as_span(cell) for cell in row] for row in cells]
    check_numbers(look, sum(isinstance(cell, _NUMBERS) for row in cells[:COUNTED_ROWS] for cell in row))
    rows = [(number, row) for number, row in enumerate(cells, 1) if number > form.skip_rows]
    while rows and _is_blank(rows[-1][1]):
        rows.pop()
    return Sheet(name, rows, merged, look)


def read_sheet(path: Path, form: Format) -> list[Row]:
    """(row number, cells) of all rows below `skip_rows`; see `open_sheet`."""
    return open_sheet(path, form).rows


def _is_skipped(shape: TableShape, look: Look, row: Row) -> bool:
    return shape.format.hidden_rows == "skip" and row[0] in look.hidden_rows


def _fill_down(shape: TableShape, data: list[Row]) -> list[Row]:
    """Blank cells of the columns under `fill_down` take the value above."""
    for place in (shape.header.index(name) for name in fill_down_names(shape)):
        above: Any = ""
        for _, cells in data:
            if place < len(cells):
                above = cells[place] = above if _is_blank([cells[place]]) else cells[place]
    return data


def _name_first_day(shape: TableShape, data: list[Row]) -> list[Row]:
    """Midnight in a column of dates is the first day of a calendar that begins with it."""
    for place in (p for c, p in zip(shape.columns, shape.positions, strict=True) if c.type == "date"):
        for _, cells in data:
            if place < len(cells) and cells[place] == dt.time():
                cells[place] = FIRST_OF_1904
    return data


def _check_kind(shape: TableShape, path: Path) -> str:
    kind = kind_of(path)
    if kind not in ("excel", "office", "old_office"):
        raise DataError("ENVELOPE-KIND", words("is {kind}; an Excel workbook is expected", kind=our_text(NAMES[kind])))
    if kind == "old_office":
        return kind
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    bomb = size > RATIO_FROM_BYTES and size > MAXIMUM_RATIO * path.stat().st_size
    if size > shape.limits.unpacked_bytes or bomb:
        message = words("unpacks to {size:,} bytes, more than is allowed; send a text file", size=size)
        raise DataError("ENVELOPE-ARCHIVE-LIMIT", message)
    return kind


def _header(shape: TableShape, rows: list[Row]) -> tuple[list[str], list[Row]]:
    """Names in the header, blank cells behind the last left out, and the rows below."""
    if not rows:
        raise DataError("ENVELOPE-EMPTY", words("the sheet is empty; send it again"))
    count = shape.format.header_rows if shape.format.header else 0
    return _names([cells for _, cells in rows[:count]]), rows[count:]


def _drop_notes(data: list[Row]) -> list[Row]:
    """The rows before the first blank one. Notes fill a cell or two: what looks like more of the table is no note."""
    end = next((place for place, (_, cells) in enumerate(data) if _is_blank(cells)), len(data))
    usual = max((_count_filled(cells) for _, cells in data[:end]), default=0)
    if more := next((number for number, cells in data[end:] if _count_filled(cells) > max(1, usual / 2)), None):
        message = words(
            "row {blank:,} of the sheet is blank, but row {more:,} looks like more of the table; "
            "remove blank rows within the table, and leave one before notes",
            blank=data[end][0],
            more=more,
        )
        raise DataError("ENVELOPE-BLANK-LINE", message)
    return data[:end]


def sheet_names(path: Path, form: Format) -> list[str]:
    """Names in the header of a sheet.

    Raises:
        DataError: the workbook is damaged or has no such sheet.
    """
    rows = read_sheet(path, form)
    return _names([cells for _, cells in rows[: form.header_rows]])


def guess_skip_rows(path: Path) -> int:
    """Rows of titles above the header: the first of the widest rows is taken for the header.

    Raises:
        DataError: the workbook is damaged.
    """
    rows = read_sheet(path, Format())[:30]
    widths = [sum(not _is_blank([cell]) for cell in cells) for _, cells in rows]
    return rows[widths.index(max(widths))][0] - 1 if rows else 0


def _names(lines: list[list[Any]]) -> list[str]:
    texts = [[text_of(cell, Format()) for cell in cells] for cells in lines]
    names = texts[0] if len(texts) == 1 else joined_names(texts)
    while names and names[-1] == "":
        names.pop()
    return names


def _table(shape: TableShape, names: list[str], data: list[Row], scratch: Path) -> Table:
    width = len(names) if shape.format.header else len(shape.header)
    for number, cells in data:
        if _is_blank(cells):
            raise DataError("ENVELOPE-BLANK-LINE", words("row {row:,} of the sheet is blank; remove it", row=number))
        if not _is_blank(cells[width:]):
            message = words("row {row:,} of the sheet has cells to the right of the last column", row=number)
            raise DataError("ENVELOPE-COLUMNS", message)
    padded = [(number, [*cells, *([""] * (width - len(cells)))][:width]) for number, cells in data]
    long = _unpivot(shape, names, padded) if shape.format.unpivot else padded
    form = Format(delimiter=",", quote='"')
    target = scratch / "sheet.txt"
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(_texts(shape, long))
    return Table([numbered_part(shape, form, target)], len(long))


def _unpivot(shape: TableShape, names: list[str], data: list[Row]) -> list[Row]:
    """A row for each cell under a heading, with the number of its sheet row."""
    places, first = long_places(shape), len(names_before_headings(shape))
    return [
        (number, [heading if place == HEADING else cell if place == CELL else cells[place] for place in places])
        for number, cells in data
        for heading, cell in zip(names[first:], cells[first:], strict=True)
    ]


def _texts(shape: TableShape, data: list[Row]) -> Iterator[list[Any]]:
    dates = {p: c.date_format for c, p in zip(shape.columns, shape.positions, strict=True) if c.type == "date"}
    for number, cells in data:
        yield [number, *(text_of(cell, shape.format, dates.get(place)) for place, cell in enumerate(cells))]


def _count_filled(cells: list[Any]) -> int:
    return sum(not _is_blank([cell]) for cell in cells)


def _is_blank(cells: list[Any]) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)
