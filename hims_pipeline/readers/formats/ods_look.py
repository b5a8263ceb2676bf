"""The second look at an OpenDocument sheet: errors, hidden rows and merged cells, none of which the library tells, and
cells whose text it gives otherwise: it leaves out tabs and line breaks, and adds the words of drawings.

Tags are searched first, which is quick; only where one of these may be, the sheet is gone through cell by cell.
"""

import re
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree

from hims_pipeline.readers.formats.look import Look, make_unsafe_workbook_error

_BLOCK = 4 << 20
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_ERROR = r"#(?:REF|N/A|DIV/0|VALUE|NAME|NUM|NULL)[!?]?|Err:[0-9]{3}"
_OTHERWISE = (f"{_TEXT}tab", f"{_TEXT}line-break", "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}")
_HINTS = re.compile(
    rb"""<(?:text:tab|text:line-break|draw:)|"""
    rb"""value-type=["']error["']|visibility=["'](?:collapse|filter)["']|-spanned=["'](?:[2-9]|1[0-9])|>(?:%b)<"""
    % _ERROR.encode()
)
_FURTHEST = 1_048_576  # rows that a sheet may have


def look_at_ods(archive: zipfile.ZipFile, sheet: str) -> Look:
    """Look at a sheet.

    Raises:
        DataError: it is built in a way that cannot be looked at.
    """
    with archive.open("content.xml") as file:
        if not _has_hints(file):
            return Look(numbers=None)
    look = Look(numbers=None)
    with archive.open("content.xml") as file:
        try:
            for number, row, repeated in _rows(file, sheet):
                _look_at_row(look, number, row, repeated)
        except ElementTree.ParseError:
            raise make_unsafe_workbook_error() from None
    return look


def _has_hints(file: IO[bytes]) -> bool:
    before = b""
    while block := file.read(_BLOCK):
        text = before + block
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise make_unsafe_workbook_error()
        if _HINTS.search(text):
            return True
        before = block[-1000:]
    return False


def _rows(file: IO[bytes], sheet: str) -> Iterator[tuple[int, ElementTree.Element, int]]:
    """(number from 1, row, how often it stands there) of one sheet."""
    number, inside = 1, False
    for event, element in ElementTree.iterparse(file, ("start", "end")):  # noqa: S314 - no document type, so no entities
        if event == "start" and element.tag == f"{_TABLE}table":
            inside = inside or element.get(f"{_TABLE}name") == sheet
        elif event == "end" and element.tag == f"{_TABLE}table":
            if inside:
                return
        elif event == "end" and element.tag == f"{_TABLE}table-row":
            repeated = int(element.get(f"{_TABLE}number-rows-repeated", "1"))
            if inside:
                yield number, element, repeated
                number += repeated
            element.clear()


def _look_at_row(look: Look, number: int, row: ElementTree.Element, repeated: int) -> None:
    rows = range(number, min(number + repeated, _FURTHEST))
    if row.get(f"{_TABLE}visibility") in ("collapse", "filter"):
        look.hidden_rows.update(rows)
    column = 0
    for cell in row:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        down, across = (int(cell.get(f"{_TABLE}number-{way}-spanned", "1")) for way in ("rows", "columns"))
        if down > 1 or across > 1:
            look.merged.append(((number - 1, column), (number + down - 2, column + across - 1)))
        if _is_given_otherwise(cell):
            look.misread.append((number, column))
        if error := _error_of(cell):
            look.errors.update({(line, column): error for line in rows})
        column += int(cell.get(f"{_TABLE}number-columns-repeated", "1"))


def _is_given_otherwise(element: ElementTree.Element) -> bool:
    """Does a cell hold what the library leaves out or adds? Comments it passes over whole."""
    return any(
        part.tag != f"{_OFFICE}annotation" and (part.tag.startswith(_OTHERWISE) or _is_given_otherwise(part))
        for part in element
    )


def _error_of(cell: ElementTree.Element) -> str:
    """The error that a cell shows; `#?` where it holds a number all the same, as OpenOffice writes it."""
    kinds = {value for name, value in cell.attrib.items() if name.endswith("}value-type")}
    text = "".join(paragraph.text or "" for paragraph in cell.findall(f"{_TEXT}p"))
    if "error" in kinds:
        return text or "#?"
    shows_error = re.fullmatch(_ERROR, text) and (cell.get(f"{_TABLE}formula") or cell.get(f"{_OFFICE}value"))
    return ("#?" if cell.get(f"{_OFFICE}value") else text) if shows_error else ""
