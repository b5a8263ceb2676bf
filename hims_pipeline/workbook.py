"""Excel workbooks (.xlsx) in plain Python: sheets of texts, numbers, days and blanks, no style but that of dates.

For tables of some thousand rows; 100,000 rows of three cells take about half a second.
"""

import datetime as dt
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | float | Decimal | bool | dt.date | dt.datetime | None
Rows = Iterable[Sequence[Cell]]

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_EPOCH = dt.datetime(1899, 12, 30)  # day 0 of Excel's calendar, as all days after February 1900 count
_DAY, _MOMENT = 1, 2  # cell styles of _STYLES
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill><patternFill/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/>'
    '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_STAMP = (1980, 1, 1, 0, 0, 0)  # no time of today in the bytes


def write_workbook(path: Path, sheet: str, rows: Rows, more: Mapping[str, Rows] | None = None) -> Path:
    """Write a workbook; returns its path.

    Args:
        sheet, rows: the first sheet: its name, and its rows from the first on, titles and headers included. None is a
            blank cell, an empty row a blank line.
        more: further sheets, in order.
    """
    sheets = {sheet: rows, **(more or {})}
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": _content_types(numbers),
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": _book(list(sheets)),
        "xl/_rels/workbook.xml.rels": _relations(
            [*(("worksheet", f"worksheets/sheet{n}.xml") for n in numbers), ("styles", "styles.xml")]
        ),
        "xl/styles.xml": _STYLES,
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": _sheet(body) for n, body in enumerate(sheets.values(), 1)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), text.encode(), zipfile.ZIP_DEFLATED)
    return path


def _content_types(numbers: Iterable[int]) -> str:
    parts = [("workbook.xml", "sheet.main"), ("styles.xml", "styles")]
    parts += [(f"worksheets/sheet{n}.xml", "worksheet") for n in numbers]
    kinds = "".join(f'<Override PartName="/xl/{name}" ContentType="{_KIND}.{kind}+xml"/>' for name, kind in parts)
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    defaults = f'<Default Extension="rels" ContentType="{relations}"/>'
    return f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">{defaults}{kinds}</Types>'


def _relations(targets: list[tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'


def _book(names: list[str]) -> str:
    sheets = "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    return f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


def _sheet(rows: Rows) -> str:
    body = "".join(f'<row r="{n}">{_cells(cells, n)}</row>' for n, cells in enumerate(rows, 1))
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'


def _cells(cells: Sequence[Cell], row: int) -> str:
    return "".join(_cell(cell, f"{_letters(n)}{row}") for n, cell in enumerate(cells) if cell is not None)


def _cell(cell: Cell, place: str) -> str:
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, dt.date):
        moment = cell if isinstance(cell, dt.datetime) else dt.datetime(cell.year, cell.month, cell.day)
        style = _MOMENT if isinstance(cell, dt.datetime) else _DAY
        since = moment - _EPOCH
        serial = since.days if moment.time() == dt.time() else since / dt.timedelta(days=1)
        return f'<c r="{place}" s="{style}"><v>{serial}</v></c>'
    if isinstance(cell, int | float | Decimal):
        return f'<c r="{place}"><v>{cell}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell or "")}</t></is></c>'


def _letters(number: int) -> str:
    """The name of a column counted from 0: A, B, …, Z, AA."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
