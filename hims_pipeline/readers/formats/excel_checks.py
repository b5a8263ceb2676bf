"""What the cells of a sheet alone do not tell, as findings: errors, formulas without a value, hidden rows, merged cells
and identifiers that are numbers. Not here: how it is seen (`excel_look`), and reading the cells (`excel`).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from hims_pipeline.contracts.columns import Column
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.headings import CELL, HEADING, long_places, names_before_headings
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.formats.cells import MOST
from hims_pipeline.readers.formats.excel_days import is_doubtful
from hims_pipeline.readers.formats.look import Look, Range
from hims_pipeline.readers.formats.unread import RULE as UNREAD_DAMAGE
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.words import words

Row = tuple[int, list[Any]]  # number in the sheet, cells
_SHOWN = 5


def check_sheet(
    shape: TableShape, merged: list[Range], look: Look, unreal_days: Iterable[tuple[int, int]], data: list[Row],
    width: int, member: Member,
) -> list[Finding]:  # fmt: skip
    """What the cells alone do not tell: errors, formulas without a value, hidden rows, merged cells, days that never
    were."""
    if not data:
        return []
    first, last = data[0][0], data[-1][0]

    def tell(rule: str, message: str, rows: Iterable[int], column: str = "") -> list[Finding]:
        places = sorted(row for row in rows if row == 0 or first <= row <= last)
        if not places:
            return []
        more = {"count": len(places), "lines": tuple(places[:_SHOWN]) if places[0] else ()}
        return [block(rule, message, member.shown, entity=shape.name, column=column, **more)]

    read = _columns_read(shape, width)
    errors = [place for place in look.errors if place[1] < width and not _is_declared(shape, look.errors[place])]
    uncomputed = [place for place in look.uncomputed if place[1] < width]
    findings = tell(
        "ENVELOPE-CELL-ERROR",
        words("cells hold an error such as #REF! or #N/A in place of a value. Mend the formulas, or send values"),
        (row for row, column in errors if column in read),
    )
    findings += tell(
        "ENVELOPE-FORMULA",
        words("cells hold a formula that was never computed, so they have no value. Open it in Excel and save it"),
        (row for row, column in uncomputed if column in read),
    )
    unread = tell(
        UNREAD_DAMAGE,
        words("cells that are not read hold an error, or a formula without a value; no other cell is touched by it"),
        (row for row, column in (*errors, *uncomputed) if column not in read),
    )
    findings += [replace(one, severity="warning") for one in unread]
    findings += tell(
        "ENVELOPE-UNSAFE",
        words(
            "cells hold tabs, line breaks or drawings, which our two ways of reading do not give alike. Take them out, "
            "or save the sheet as .xlsx"
        ),
        (row for row, column in look.misread if column in read),
    )
    if shape.format.hidden_rows == "refuse":
        message = words("rows are hidden. Show or remove them; the contract may also say `hidden_rows: read` or `skip`")
        findings += tell("ENVELOPE-HIDDEN", message, look.hidden_rows)
    findings += tell(
        "ENVELOPE-MERGED",
        words(
            "cells are merged with those beside or below them, so most have no value of their own. Undo the merging, "
            "or name the column under `fill_down` in the contract"
        ),
        _merged_rows(shape, merged, first, last, read),
    )
    message = words(
        "cells hold 29 February 1900, day 60 of Excel's calendar, which there never was, or a day before that calendar "
        "begins. Correct them at the source"
    )
    findings += tell("ENVELOPE-UNREAL-DAY", message, (row for row, _ in unreal_days))
    return findings + _mixed_percents(shape, data, tell) + _identifiers_as_numbers(shape, data, tell)


def doubtful_days(shape: TableShape, data: list[Row], width: int) -> Iterator[tuple[int, int]]:
    """Cells that are read, in which the library gives what may be a day that never was."""
    read = sorted(_columns_read(shape, width))
    for number, cells in data:
        for place in read:
            if place < len(cells) and isinstance(cell := cells[place], dt.date | dt.time) and is_doubtful(cell):
                yield number, place


def _columns_read(shape: TableShape, width: int) -> set[int]:
    """Places of the columns that are read; of a wide table all are."""
    return set(range(width)) if shape.format.unpivot else set(shape.positions)


def _is_declared(shape: TableShape, error: str) -> bool:
    """Does the contract call this error text no value?"""
    absent = [column.missing_values_in(shape.format) for column in shape.columns]
    return any(error in one.nulls or error in one.marks for one in absent)


def _merged_rows(shape: TableShape, merged: list[Range], first: int, last: int, read: set[int]) -> Iterator[int]:
    """First rows of merged cells of columns that are read, where no `fill_down` explains them."""
    filled = {shape.header.index(name) for name in fill_down_names(shape)}
    for (top, left), (bottom, right) in merged:
        below = left == right and left in filled
        if not read.isdisjoint(range(left, right + 1)) and bottom + 1 >= first and top + 1 <= last and not below:
            yield max(top + 1, first)


def fill_down_names(shape: TableShape) -> list[str]:
    """The names in the file of the columns under `fill_down`."""
    sent = {column.name: shape.header[place] for column, place in zip(shape.columns, shape.positions, strict=True)}
    return [sent.get(name, name) for name in shape.format.fill_down if sent.get(name, name) in shape.header]


def _mixed_percents(shape: TableShape, data: list[Row], tell: Callable[..., list[Finding]]) -> list[Finding]:
    """Excel keeps 12.5 % as 0.125, and a text keeps it as 12.5: in one column a number may be either."""
    findings = []
    message = words(
        "holds numbers beside texts with a sign for per cent: Excel keeps 12.5 % as 0.125, so what the numbers mean is "
        "not known. Write all of them in one way"
    )
    for column, place in _places(shape):
        if place != HEADING and "percent" in column.allow:
            start = len(names_before_headings(shape)) if place == CELL else place
            end = None if place == CELL else place + 1
            cells = [(number, cell) for number, row in data for cell in row[start:end]]
            signed = any(isinstance(cell, str) and cell.rstrip().endswith(("%", "٪")) for _, cell in cells)
            numbers = [number for number, cell in cells if isinstance(cell, float | int)]
            findings += tell("ENVELOPE-PERCENT", message, numbers if signed else [], column.name)
    return findings


def _places(shape: TableShape) -> Iterator[tuple[Column, int]]:
    """Each column that is read, and its place in a row of the sheet or, of a wide table, HEADING or CELL."""
    places = long_places(shape) if shape.format.unpivot else range(len(shape.header))
    return zip(shape.columns, (places[position] for position in shape.positions), strict=True)


def _identifiers_as_numbers(shape: TableShape, data: list[Row], tell: Callable[..., list[Finding]]) -> list[Finding]:
    """Excel keeps fifteen digits of a number, no zero in front, and takes 12-05 for a day: two persons could get one
    pseudonym, and two households one number."""
    findings = []
    message = words(
        "is stored as numbers or dates, of which Excel keeps fifteen digits and no zero in front. Format the column as "
        "text in the register's export and send the file again"
    )
    for column, place in _places(shape):
        changes = _is_changed if column.sensitivity == "identifier" else _has_lost_digits
        if place >= 0 and (column.sensitivity == "identifier" or column.name in shape.entity.telling_columns):
            rows = [number for number, cells in data if place < len(cells) and changes(cells[place])]
            findings += tell("ENVELOPE-IDENTIFIER", message, rows, column.name)
    return findings


def _is_changed(cell: Any) -> bool:
    return cell is not None and not isinstance(cell, str)


def _has_lost_digits(cell: Any) -> bool:
    return isinstance(cell, float) and abs(cell) >= MOST and cell.is_integer()
