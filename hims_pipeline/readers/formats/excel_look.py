"""A second, independent look at a workbook, for what the library that reads its cells does not tell.

It gives cells with an error (`#REF!`), and formulas that were never computed, as blanks, and hidden rows like any. So
the file itself is looked at: the XML of .xlsx by its tags, old .xls by xlrd. Cells that hold a number are counted in
the first rows, and must be as many as the library gives. Not here: OpenDocument (`ods_look`), what follows from it
(`excel_checks`).
"""

import contextlib
import itertools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from hims_pipeline.errors import DataError
from hims_pipeline.readers.formats.look import Look, make_unsafe_workbook_error
from hims_pipeline.readers.formats.ods_look import look_at_ods
from hims_pipeline.words import words

COUNTED_ROWS = 2_000  # numbers are counted in these
_BLOCK = 4 << 20
_SMALL_PART = 10_000_000
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(/?)>")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]+)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# Without any of these there is no error, no hidden row and no formula but those that are counted; looking for them is
# ten times as quick as going through cells.
_HINTS = (b't="e"', b"t='e'", b"hidden=", b"zeroHeight=", b' ht="0', b" ht='0", b"<v></", b"<v/>", b"<v />")
_PREFIXED = (b":f>", b":f ", b":f/")
_FORMULAS, _COMPUTED = (b"<f>", b"<f ", b"<f/"), (b"</f><v>", b"/><v>")
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})?(\d+)["']""")
_TYPE = re.compile(rb"""\bt=["'](\w+)["']""")
_HIDDEN = re.compile(rb"""\b(?:(?:hidden|zeroHeight)=["'](?:1|true)|ht=["']0(?:\.0*)?)["']""")
_CDATA = b"v><![CDATA["
_FAR = re.compile(rb""" r=["']([A-Z]{2,3})\d""")  # columns beyond the first ones, of one letter
_LETTERS = 26
_LARGE = 20_000_000  # cells for which the library takes a gigabyte, empty ones too
_NUMBERS = (b"n", b"d", b"b")
_KNOWN_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DATA!", "#?")


def look_at(path: Path, kind: str, sheet: str) -> Look:
    """Look at a sheet of a workbook.

    Args:
        kind: `excel`, `office` or `old_office`, by the file's first bytes.

    Raises:
        DataError: it is of a kind, or built in a way, that cannot be looked at.
    """
    if kind == "old_office":
        return _look_at_xls(path, sheet)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if kind == "office":
            return look_at_ods(archive, sheet)
        if "xl/workbook.xml" not in names:
            raise DataError("ENVELOPE-KIND", words("is a binary workbook (.xlsb); save it as .xlsx and send that"))
        return _look_at_xlsx(archive, part_of(archive, sheet))


def part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The archive's part that holds a sheet."""
    relations = {one.get("Id"): one.get("Target", "") for one in _tree(archive, "xl/_rels/workbook.xml.rels")}
    for one in _tree(archive, "xl/workbook.xml").iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            key = next((value for name, value in one.attrib.items() if name.endswith("}id")), None)
            target = relations.get(key, "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if part in archive.namelist():
                return part
    raise make_unsafe_workbook_error()


def _tree(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    if part not in archive.namelist() or archive.getinfo(part).file_size > _SMALL_PART:
        raise make_unsafe_workbook_error()
    raw = archive.read(part)
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise make_unsafe_workbook_error()
    try:
        return ElementTree.fromstring(raw)  # noqa: S314 - no document type, so no entities
    except ElementTree.ParseError:
        raise make_unsafe_workbook_error() from None


def _look_at_xlsx(archive: zipfile.ZipFile, part: str) -> Look:
    look, seen, last, columns = Look(since_1904=_counts_from_1904(archive)), 0, 0, _LETTERS
    for rows in row_blocks(archive, part):
        last, columns = max(last, _last_row(rows)), max([columns, *map(column_of, set(_FAR.findall(rows)))])
        before, starts = seen, (match.start() for match in _ROW.finditer(rows))
        looked_at = None if _is_suspect(rows) else max(0, COUNTED_ROWS - seen)  # of the others no row is worth a look
        for start, end in itertools.islice(itertools.pairwise(itertools.chain(starts, [len(rows)])), looked_at):
            seen += 1
            _look_at_row(look, rows[start:end], seen, seen <= COUNTED_ROWS)
        if looked_at is not None:
            seen = before + (rows.count(b"<row") or sum(1 for _ in _ROW.finditer(rows)))
    if last * columns > max(_LARGE, archive.getinfo(part).file_size):  # each cell has some twenty bytes
        message = words(
            "has a cell far from all others (the sheet ends at row {row:,}, column {column:,}). Delete what "
            "stands there",
            row=last,
            column=columns,
        )
        raise DataError("ENVELOPE-FAR-CELL", message)
    _require_known_errors(look)
    return look


def _counts_from_1904(archive: zipfile.ZipFile) -> bool:
    properties = (one for one in _tree(archive, "xl/workbook.xml") if one.tag.endswith("}workbookPr"))
    return any(one.get("date1904") in ("1", "true") for one in properties)


def _last_row(rows: bytes) -> int:
    head = _ROW.match(rows, max(0, rows.rfind(b"<", 0, max(rows.rfind(b"row "), 0) + 1)))
    place = _PLACE.search(head.group(1)) if head else None
    return int(place.group(2)) if place else 0


def _is_suspect(rows: bytes) -> bool:
    """May there be an error, a hidden row, or a formula that no value follows?"""
    if any(hint in rows for hint in _HINTS) or (b":f" in rows and any(one in rows for one in _PREFIXED)):
        return True
    return b"<f" in rows and sum(map(rows.count, _FORMULAS)) != sum(map(rows.count, _COMPUTED))


def row_blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The sheet's rows in blocks of whole rows; what stands around them holds no cell."""
    rest = b""
    with archive.open(part) as file:
        while block := file.read(_BLOCK):
            rest += block
            if _CDATA in rest:
                raise make_unsafe_workbook_error()  # the library takes it for nothing
            cut = max(rest.rfind(b"<row"), rest.rfind(b":row"))
            if cut > 0:
                cut = rest.rfind(b"<", 0, cut + 1)
                yield rest[:cut]
                rest = rest[cut:]
    yield rest


def _look_at_row(look: Look, row: bytes, count: int, counting: bool) -> None:
    head = _ROW.match(row)
    attributes = head.group(1) if head else b""
    place = _PLACE.search(attributes)
    number = int(place.group(2)) if place else count
    if _HIDDEN.search(attributes):
        look.hidden_rows.add(number)
    if not counting and not _is_suspect(row):
        return
    cells = list(_CELL.finditer(row))
    column = -1
    for cell, following in itertools.zip_longest(cells, cells[1:]):
        named = _PLACE.search(cell.group(1))
        before, column = column, column_of(named.group(1)) if named and named.group(1) else column + 1
        if column <= before:
            raise make_unsafe_workbook_error()  # two cells in one place: the library keeps one of them
        if cell.group(2):
            continue
        body = row[cell.end() : following.start() if following else len(row)]
        match = _TYPE.search(cell.group(1))
        kind, value = match.group(1) if match else b"n", _VALUE.search(body)
        if kind == b"e":
            look.errors[number, column] = value.group(1).decode("utf-8", "replace") if value else "#?"
        elif value is None and _FORMULA.search(body) and kind != b"str":
            look.uncomputed.append((number, column))
        elif value is not None and kind in _NUMBERS and counting and look.numbers is not None:
            look.numbers += 1


def column_of(letters: bytes) -> int:
    """The place of a column, from 0, by its letters."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def _look_at_xls(path: Path, sheet: str) -> Look:
    import xlrd

    with (
        contextlib.suppress(Exception),  # it raises whatever it stumbles over, and its text may quote the file
        xlrd.open_workbook(str(path), formatting_info=True, logfile=_Nowhere()) as book,
    ):
        page = book.sheet_by_name(sheet)
        hidden = {row + 1 for row, info in page.rowinfo_map.items() if info.hidden}
        look = Look(hidden_rows=hidden, since_1904=bool(book.datemode))
        for row in range(page.nrows):
            for column, kind in enumerate(page.row_types(row)):
                if kind == xlrd.XL_CELL_ERROR:
                    code = int(page.cell_value(row, column))
                    look.errors[row + 1, column] = xlrd.error_text_from_code.get(code, "#?")
                elif row < COUNTED_ROWS and kind in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE, xlrd.XL_CELL_BOOLEAN):
                    look.numbers = (look.numbers or 0) + 1
        return look
    raise make_unsafe_workbook_error()


class _Nowhere:
    """Where xlrd may write what it wants to say: its words may quote the file."""

    def write(self, text: str) -> None:
        pass


def _require_known_errors(look: Look) -> None:
    """The library reads no sheet in which a cell holds an error that Excel got later (#SPILL!, #CALC!).

    Raises:
        DataError: one does; names the first such row.
    """
    if later := sorted(row for (row, _), error in look.errors.items() if error not in _KNOWN_ERRORS):
        message = words(
            "row {row:,} of the sheet holds an error of newer versions of Excel, such as #SPILL!, in place of a value. "
            "Mend the formulas, or send values",
            row=later[0],
        )
        raise DataError("ENVELOPE-CELL-ERROR", message)


def check_numbers(look: Look, counted: int) -> None:
    """The library must give as many numbers in the first rows as stand there.

    Raises:
        DataError: it does not.
    """
    if look.numbers is not None and look.numbers != counted:
        raise make_unsafe_workbook_error()
