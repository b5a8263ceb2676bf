"""Tables of Eurostat, SDMX-CSV, and workbooks: .xlsx, .xls and .ods."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl

from tests.readers.corpus.made import (
    EQUAL,
    Case,
    Change,
    Files,
    Twin,
    cut,
    part,
    rezipped,
    sub,
    whole,
    without_end,
    zipped,
)
from tests.readers.test_second_look import OLD_XLS, PLACES

TSV = (
    b"freq,citizen,geo\\TIME_PERIOD\t2021 \t2022 \t2023 \n"
    b"A,TN,FR\t: c\t12345 b\t13002 p\nA,TN,IT\t9801 \t: \t10411 bep\nA,TN,DE\t: z\t7712.0 e\t0 n\n"
)
FLAGS = {"b": "B", "e": "E", "p": "P", "n": "N", "c": "_C", "z": "_Z"}
LONG: tuple[dict[str, Any], ...] = (
    *({"name": name} for name in ("freq", "citizen", "geo")),
    {"name": "TIME_PERIOD", "type": "integer"},
    {"name": "OBS_VALUE", "type": "decimal", "scale": 1, "flags": FLAGS, "null_values": [":"]},
)
ONE = b"DATAFLOW,geo,TIME_PERIOD,OBS_VALUE\nESTAT:MIGR(1.0),FR,2021,5\nESTAT:MIGR(1.0),IT,2021,\n"
TWO = (
    b"STRUCTURE,STRUCTURE_ID,ACTION,OBS_VALUE,geo,TIME_PERIOD\n"
    b"dataflow,ESTAT:MIGR(1.0),I,5,FR,2021\ndataflow,ESTAT:MIGR(1.0),A,,IT,2021\n"
)
OBSERVED = ({"name": "geo"}, {"name": "TIME_PERIOD", "type": "integer"}, {"name": "OBS_VALUE", "type": "integer"})
ROWS: list[list[Any]] = [["gov", "population", "note"], ["Tunis", 1, "a"], ["Sousse", 350, "b"], ["Gabes", None, "c"]]


def sheet(change: Callable[[Any], None] = lambda page: None) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "T"
    for row in ROWS:
        page.append(row)
    change(page)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_cell(place: str, value: Any) -> Change:
    return whole(sheet(lambda page: page.__setitem__(place, value)))


def hide(page: Any) -> None:
    page.row_dimensions[3].hidden = True


def ods(rows: str) -> bytes:
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'  # noqa: E501
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": b"<manifest/>",
            "content.xml": f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}><office:body>'
            f'<office:spreadsheet><table:table table:name="T">{rows}</table:table></office:spreadsheet></office:body>'
            "</office:document-content>".encode(),
        }
    )


def text(value: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'


def number(value: int) -> str:
    return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'  # noqa: E501


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row{more}>{''.join(cells)}</table:table-row>"


OPEN = [row(text("gov"), text("population")), row(text("Tunis"), number(1)), row(text("Sousse"), number(350))]
ODS_ERROR = (
    '<table:table-cell office:value-type="string" calcext:value-type="error"><text:p>#REF!</text:p></table:table-cell>'
)
EXCEL = {"format": {"type": "excel"}}
BY_NAME = {"format": {"type": "excel", "header": "by_name"}, "entity": {"header": ["gov", "population", "note"]}}
SHEET = "xl/worksheets/sheet1.xml"


def without(name: str) -> Change:
    def change(entries: Files) -> Files:
        return {one: content for one, content in entries.items() if one != name}

    return rezipped(change)


def flipped_in(name: str) -> Change:
    """A bit of one entry, whose checksum then is wrong."""

    def change(content: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entry = archive.getinfo(name)
        place = entry.header_offset + 30 + len(name) + entry.compress_size // 2
        return content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :]

    return change


def halved(name: str) -> Change:
    return rezipped(lambda entries: entries | {name: entries[name][: len(entries[name]) * 2 // 3]})


def shared() -> bytes:
    """A workbook whose texts stand in a list of their own, as Excel writes them."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    texts = "".join(f"<si><t>{one}</t></si>" for one in ("gov", "population", "Tunis", "Sousse"))
    cells = [('<c r="A{n}" t="s"><v>{a}</v></c>', first, second) for first, second in ((0, None), (2, 1), (3, 350))]
    rows = "".join(
        f'<row r="{n}">{cell.format(n=n, a=first)}'
        + ('<c r="B1" t="s"><v>1</v></c>' if second is None else f'<c r="B{n}"><v>{second}</v></c>')
        + "</row>"
        for n, (cell, first, second) in enumerate(cells, 1)
    )
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',  # noqa: E501
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="T" sheetId="1" r:id="r1"/></sheets></workbook>',  # noqa: E501
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',  # noqa: E501
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{texts}</sst>',
        SHEET: f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    return zipped({name: f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode() for name, body in parts.items()})


SHARED = shared()
TWINS = {
    "eurostat": Twin(
        {"people.tsv": TSV},
        LONG,
        {"format": {"type": "eurostat_tsv", "unpivot": {"names": "TIME_PERIOD", "values": "OBS_VALUE"}}},
    ),
    "sdmx 1.0": Twin({"people.csv": ONE}, OBSERVED, {"format": {"type": "sdmx_csv"}}),
    "sdmx 2.0": Twin({"people.csv": TWO}, OBSERVED, {"format": {"type": "sdmx_csv"}}),
    "xlsx": Twin({"people.xlsx": sheet()}, (*PLACES, {"name": "note"}), EXCEL),
    "xlsx by name": Twin({"people.xlsx": sheet()}, PLACES, BY_NAME),
    "xlsx of a list of texts": Twin({"people.xlsx": SHARED}, PLACES, EXCEL),
    "ods": Twin({"people.ods": ods("".join(OPEN))}, PLACES, EXCEL),
}
CASES = {
    "a dimension of Eurostat's missing": Case("eurostat", sub(b"citizen,", b""), "ENVELOPE-HEADER"),
    "a key of Eurostat's missing": Case("eurostat", sub(b"A,TN,IT", b"A,IT"), "ENVELOPE-COLUMNS"),
    "a flag that nobody knows": Case("eurostat", sub(b"9801 ", b"9801 q"), "TYPES-DECIMAL"),
    "a year of Eurostat's lost": Case("eurostat", sub(b"A,TN,IT\t9801 ", b"A,TN,IT"), "ENVELOPE-COLUMNS"),
    "a table of Eurostat's cut off": Case("eurostat", without_end(4), "ENVELOPE-TRUNCATED"),
    "commas for tabs": Case("eurostat", sub(b"\t", b","), "ENVELOPE-HEADER"),
    "a value beside the sign for none": Case("eurostat", sub(b": c", b"5 c"), "TYPES-DECIMAL"),
    "rows of SDMX that delete": Case("sdmx 2.0", sub(b",A,", b",D,"), "ENVELOPE-SDMX"),
    "two datasets of SDMX": Case("sdmx 2.0", sub(b"(1.0),A", b"(2.0),A"), "ENVELOPE-SDMX"),
    "labels beside codes": Case("sdmx 1.0", sub(b"geo,", b"geo: Country,"), "ENVELOPE-HEADER"),
    "no dataflow": Case("sdmx 1.0", sub(b"DATAFLOW,", b"flow,"), "ENVELOPE-HEADER"),
    "an observation that is no number": Case("sdmx 1.0", sub(b"2021,5", b"2021,n/a"), "TYPES-INTEGER"),
    "a short row of SDMX": Case("sdmx 1.0", sub(b"IT,2021,", b"IT,2021"), "ENVELOPE-COLUMNS"),
    "SDMX in Latin-1": Case("sdmx 1.0", sub(b"FR", b"F\xe9"), "ENVELOPE-ENCODING"),
    "a cell with an error": Case("xlsx", with_cell("B2", "#REF!"), "ENVELOPE-CELL-ERROR"),
    "an error where nobody reads": Case("xlsx by name", with_cell("C2", "#REF!"), "~ENVELOPE-UNREAD-DAMAGE"),
    "an error in what is read by name": Case("xlsx by name", with_cell("B2", "#N/A"), "ENVELOPE-CELL-ERROR"),
    "a formula never computed": Case("xlsx", with_cell("B2", "=1+1"), "ENVELOPE-FORMULA"),
    "a formula where nobody reads": Case("xlsx by name", with_cell("C2", "=1+1"), "~ENVELOPE-UNREAD-DAMAGE"),
    "a hidden row": Case("xlsx", whole(sheet(hide)), "ENVELOPE-HIDDEN"),
    "merged cells": Case("xlsx", whole(sheet(lambda page: page.merge_cells("A2:A3"))), "ENVELOPE-MERGED"),
    "merged cells where nobody reads": Case(
        "xlsx by name", whole(sheet(lambda page: page.merge_cells("C2:C3"))), EQUAL
    ),
    "a number typed as text": Case("xlsx", with_cell("B2", "1 "), "TYPES-INTEGER"),
    "a fraction among whole numbers": Case("xlsx", with_cell("B2", 1.5), "TYPES-INTEGER"),
    "a day where a number stands": Case(
        "xlsx", with_cell("B2", __import__("datetime").date(2024, 1, 1)), "TYPES-INTEGER"
    ),
    "a note to the right": Case("xlsx", with_cell("E3", "see below"), "ENVELOPE-COLUMNS"),
    "a cell far from all others": Case("xlsx", with_cell("XFD1048576", "x"), "ENVELOPE-FAR-CELL"),
    "a note below": Case("xlsx", with_cell("A7", "Source"), "ENVELOPE-BLANK-LINE"),
    "a heading changed": Case("xlsx", with_cell("B1", "people"), "ENVELOPE-HEADER"),
    "a workbook cut off": Case("xlsx", cut(0.7), "ENVELOPE-"),
    "a workbook with a flipped bit": Case("xlsx", flipped_in(SHEET), "ENVELOPE-"),
    "a workbook without its sheet": Case("xlsx", without(SHEET), "ENVELOPE-"),
    "a workbook without its texts": Case("xlsx of a list of texts", without("xl/sharedStrings.xml"), "ENVELOPE-"),
    "a cell whose text is not there": Case(
        "xlsx of a list of texts", part(SHEET, b't="s"><v>2<', b't="s"><v>99<'), "ENVELOPE-"
    ),
    "a sheet cut within": Case("xlsx", halved(SHEET), "ENVELOPE-"),
    "a list of texts cut within": Case("xlsx of a list of texts", halved("xl/sharedStrings.xml"), "ENVELOPE-"),
    "a sheet whose rows are not closed": Case("xlsx of a list of texts", part(SHEET, b"</row>", b""), EQUAL),
    "a cell twice": Case("xlsx of a list of texts", part(SHEET, b'r="A2"', b'r="B2"'), "ENVELOPE-"),
    "a number of Excel that is none": Case(
        "xlsx of a list of texts", part(SHEET, b"<v>350<", b"<v>3x0<"), "ENVELOPE-|TYPES-INTEGER"
    ),
    "text under the name of a workbook": Case("xlsx", whole(b"gov,population,note\nTunis,1,a\n"), "ENVELOPE-KIND"),
    "a page under the name of a workbook": Case(
        "xlsx", whole(b"<html><table><tr><td>gov</td></tr></table></html>"), "ENVELOPE-KIND"
    ),
    "an old workbook with errors and a hidden row": Case("xlsx by name", whole(OLD_XLS), "ENVELOPE-"),
    "an old workbook cut off": Case("xlsx by name", whole(OLD_XLS[: len(OLD_XLS) // 2]), "ENVELOPE-"),
    "an open document with an error": Case(
        "ods", whole(ods(OPEN[0] + row(text("Tunis"), ODS_ERROR) + OPEN[2])), "ENVELOPE-CELL-ERROR"
    ),
    "an open document with a hidden row": Case(
        "ods",
        whole(ods("".join(OPEN) + row(text("TOTAL"), number(351), more=' table:visibility="collapse"'))),
        "ENVELOPE-HIDDEN",
    ),
    "an open document cut off": Case("ods", cut(0.8), "ENVELOPE-"),
    "an open document of broken XML": Case(
        "ods", part("content.xml", b"</table:table-row>", b"</table:table-rox>"), "ENVELOPE-"
    ),
    "an open document with a word for a number": Case(
        "ods", whole(ods(OPEN[0] + row(text("Tunis"), text("many")))), "TYPES-INTEGER"
    ),
    "an open document of text": Case(
        "ods",
        whole(zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"})),
        "ENVELOPE-",
    ),
}
