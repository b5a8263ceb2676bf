"""Excel: one sheet, its cells as the texts that every format is checked by.

Excel knows neither whole numbers nor types of columns, so a whole number is written `12`, a day as the contract's dates
are. `_line` is the row that the sheet shows.
"""

import csv
import datetime as dt
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine as calamine

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import MAXIMUM_RATIO, RATIO_FROM_BYTES, Member
from hims_pipeline.readers.files.headings import CELL, HEADING, before, check_names, joined_names, long_places
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.findings import blocking
from hims_pipeline.readers.shape import Shape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import numbered_part

Row = tuple[int, list[Any]]  # number in the sheet, cells
_ERRORS = (calamine.CalamineError, calamine.PasswordError, calamine.XmlError, calamine.ZipError, OSError, ValueError)


def open_workbook(shape: Shape, member: Member, scratch: Path) -> tuple[Table | None, list[Finding]]:
    """The table of a sheet, or what is wrong with its envelope."""
    try:
        _check_kind(shape, member.path)
        rows = read_sheet(member.path, shape.format)
        names, data = _header(shape, rows)
        if shape.format.header and (found := check_names(shape, names, member.shown)):
            return None, found
        if shape.format.stop_at_blank:
            data = _without_notes(data)
        return _table(shape, names, data, scratch), []
    except DataError as error:
        return None, [blocking(error.rule, error.message, member.shown, entity=shape.name)]


def read_sheet(path: Path, form: Format) -> list[Row]:
    """(row number, cells) of all rows below `skip_rows`, blank rows at the end left out.

    Raises:
        DataError: the workbook cannot be opened, or has no such sheet.
    """
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        name = form.sheet if form.sheet is not None else book.sheet_names[0]
        if name not in book.sheet_names:
            raise DataError("ENVELOPE-SHEET", f"has no sheet {name!r}, only {', '.join(book.sheet_names)}")
        cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except calamine.PasswordError:
        raise DataError("ENVELOPE-KIND", "is protected by a password; send it without one") from None
    except _ERRORS:
        raise DataError("ENVELOPE-DAMAGED", "is incomplete or damaged; send it again") from None
    rows = [(number, row) for number, row in enumerate(cells, 1) if number > form.skip_rows]
    while rows and _blank(rows[-1][1]):
        rows.pop()
    return rows


def _check_kind(shape: Shape, path: Path) -> None:
    kind = kind_of(path)
    if kind not in ("excel", "office", "old_office"):
        raise DataError("ENVELOPE-KIND", f"is {NAMES[kind]}; an Excel workbook is expected")
    if kind == "old_office":
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    bomb = size > RATIO_FROM_BYTES and size > MAXIMUM_RATIO * path.stat().st_size
    if size > shape.limits.unpacked_bytes or bomb:
        raise DataError("ENVELOPE-ARCHIVE-LIMIT", f"unpacks to {size:,} bytes, more than is allowed; send a text file")


def _header(shape: Shape, rows: list[Row]) -> tuple[list[str], list[Row]]:
    """Names in the header, blank cells behind the last left out, and the rows below."""
    if not rows:
        raise DataError("ENVELOPE-EMPTY", "the sheet is empty; send it again")
    count = shape.format.header_rows if shape.format.header else 0
    return _names([cells for _, cells in rows[:count]]), rows[count:]


def _without_notes(data: list[Row]) -> list[Row]:
    """The rows before the first blank one. Notes fill a cell or two: what looks like more of the table is no note."""
    end = next((place for place, (_, cells) in enumerate(data) if _blank(cells)), len(data))
    usual = max((_filled(cells) for _, cells in data[:end]), default=0)
    if more := next((number for number, cells in data[end:] if _filled(cells) > max(1, usual / 2)), None):
        message = f"row {data[end][0]:,} of the sheet is blank, but row {more:,} looks like more of the table; "
        raise DataError(
            "ENVELOPE-BLANK-LINE", f"{message}remove blank rows within the table, and leave one before notes"
        )
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
    widths = [sum(not _blank([cell]) for cell in cells) for _, cells in rows]
    return rows[widths.index(max(widths))][0] - 1 if rows else 0


def _names(lines: list[list[Any]]) -> list[str]:
    texts = [[text_of(cell, Format()) for cell in cells] for cells in lines]
    names = texts[0] if len(texts) == 1 else joined_names(texts)
    while names and names[-1] == "":
        names.pop()
    return names


def _table(shape: Shape, names: list[str], data: list[Row], scratch: Path) -> Table:
    width = len(names) if shape.format.header else len(shape.header)
    for number, cells in data:
        if _blank(cells):
            raise DataError("ENVELOPE-BLANK-LINE", f"row {number:,} of the sheet is blank; remove it")
        if not _blank(cells[width:]):
            raise DataError(
                "ENVELOPE-COLUMNS", f"row {number:,} of the sheet has cells to the right of the last column"
            )
    padded = [(number, [*cells, *([""] * (width - len(cells)))][:width]) for number, cells in data]
    long = _unpivoted(shape, names, padded) if shape.format.unpivot else padded
    if len(long) < shape.entity.minimum_rows:
        need = shape.entity.minimum_rows
        raise DataError("ENVELOPE-ROWS", f"holds {len(long):,} rows; at least {need:,} are expected. Send all of them")
    form = Format(delimiter=",", quote='"')
    target = scratch / "sheet.txt"
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(_texts(shape, long))
    return Table([numbered_part(shape, form, target)], len(long))


def _unpivoted(shape: Shape, names: list[str], data: list[Row]) -> list[Row]:
    """A row for each cell under a heading, with the number of its sheet row."""
    places, first = long_places(shape), len(before(shape))
    return [
        (number, [heading if place == HEADING else cell if place == CELL else cells[place] for place in places])
        for number, cells in data
        for heading, cell in zip(names[first:], cells[first:], strict=True)
    ]


def _texts(shape: Shape, data: list[Row]) -> Iterator[list[Any]]:
    dates = {p: c.date_format for c, p in zip(shape.columns, shape.positions, strict=True) if c.type == "date"}
    for number, cells in data:
        yield [number, *(text_of(cell, shape.format, dates.get(place)) for place, cell in enumerate(cells))]


def text_of(cell: Any, form: Format, date_format: str | None = None) -> str:
    """A cell as text: `12` for a whole number, dates as `date_format` or ISO, true and false in lower case."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float | int):
        text = str(int(cell)) if float(cell).is_integer() and abs(cell) < 1e15 else repr(cell)
        return text if form.decimal == "." else text.replace(".", ",")
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.date):
        return cell.strftime(date_format) if date_format else cell.isoformat()
    return "" if cell is None else str(cell)


def _filled(cells: list[Any]) -> int:
    return sum(not _blank([cell]) for cell in cells)


def _blank(cells: list[Any]) -> bool:
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)
