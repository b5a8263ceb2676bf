"""Files that are written byte for byte, with invented persons in every place: OpenDocument tables, old workbooks,
binary ones (.xlsb), portable files of SPSS, and CSPro's databases. The other formats are in `seeded_formats`.
"""

import io
import sqlite3
import struct
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pandas as pd
import pyreadstat

from hims_pipeline.sql import quote
from tests.privacy.persons import Person

Files = dict[str, bytes]
_SECTOR = 512
_PORTABLE_HEAD = 480  # its table of characters ends before
_LENT = (b"~^{}|`#", b"\xc3" + bytes(ord(letter) - 64 for letter in "ôïéèãâ"))
_NONE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ods(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """Cells, a remark of a cell, a second table, a page's heading, and the document's properties."""
    spaces = "".join(
        f' xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"' for short in ("office", "table", "text")
    )

    def cell(value: str, more: str = "") -> str:
        return f'<table:table-cell office:value-type="string">{more}<text:p>{escape(value)}</text:p></table:table-cell>'

    remark = f"<office:annotation><text:p>{escape(who.whole)}</text:p></office:annotation>"
    lines = [[cell(value, remark if at == 0 else "") for at, value in enumerate(names)], *[map(cell, r) for r in rows]]
    table = "".join(f"<table:table-row>{''.join(line)}</table:table-row>" for line in lines)
    other = f"<table:table table:name={quoteattr(who.whole)}><table:table-row>{cell(who.whole)}</table:table-row>"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="Data">{table}</table:table>{other}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    told = f"<?xml version='1.0'?><x>{escape(who.whole)} {who.passport}</x>"
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": "<manifest/>",
        "content.xml": content,
        "meta.xml": told,
        "styles.xml": told,
        f"Pictures/{who.whole}.txt": told,
    }
    return {f"people_{who.whole}.ods": _zipped(parts)}


def xlsb(who: Person) -> bytes:
    """A binary workbook, as far as its kind goes: no sheet in it can be read, and somebody's name stands in it."""
    named = who.whole.encode("utf-16-le") + who.passport.encode()
    parts = {"[Content_Types].xml": "<Types/>", "xl/workbook.bin": named, f"xl/worksheets/{who.whole}.bin": named}
    return _zipped(parts)


def _zipped(parts: dict[str, str] | dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def xls(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """A workbook of Excel 97: cells, a hidden second sheet, and who last saved it."""
    begin = struct.pack("<HHHHII", 0x600, 0x5, 0x1AF0, 0x7CD, 0xC1, 0x306)
    sheets = (("Data", [names, *rows], 0), (who.whole[:31], [[who.whole, who.passport]], 1))
    saved = record(0x5C, _text(who.name, "<H").ljust(112))
    places, pages = [], [_sheet(lines) for _, lines, _ in sheets]
    at = len(begin) + 4 + len(saved) + sum(12 + 2 * len(name) for name, _, _ in sheets) + 4
    for page in pages:
        places.append(at)
        at += len(page)
    head = record(0x809, begin) + saved
    for place, (name, _, hidden) in zip(places, sheets, strict=True):
        head += record(0x85, struct.pack("<IBB", place, hidden, 0) + _text(name, "<B"))
    return {f"people_{who.whole}.xls": compound(head + record(0x0A, b"") + b"".join(pages))}


def _sheet(lines: list[list[str]]) -> bytes:
    begin = struct.pack("<HHHHII", 0x600, 0x10, 0x1AF0, 0x7CD, 0xC1, 0x306)
    size = struct.pack("<IIHHH", 0, len(lines), 0, max(map(len, lines)), 0)
    cells = b"".join(
        record(0x204, struct.pack("<HHH", row, column, 0) + _text(value, "<H"))
        for row, line in enumerate(lines)
        for column, value in enumerate(line)
    )
    return record(0x809, begin) + record(0x200, size) + cells + record(0x0A, b"")


def record(kind: int, content: bytes = b"") -> bytes:
    """One record of an old workbook."""
    return struct.pack("<HH", kind, len(content)) + content


def _text(value: str, length: str) -> bytes:
    return struct.pack(length, len(value)) + b"\1" + value.encode("utf-16-le")


def compound(stream: bytes) -> bytes:
    """A compound file that holds one stream, `Workbook`: header, allocation table, folder, and the stream's sectors."""
    stream = stream.ljust(max(len(stream), 4096), b"\0")
    stream += b"\0" * (-len(stream) % _SECTOR)
    count = len(stream) // _SECTOR
    chain = [_FAT, _END, *range(3, count + 2), _END]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(_SECTOR, b"\xff")
    assert len(table) == _SECTOR, "one sector of the allocation table holds 128"
    header = struct.pack("<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
                         0, 1, 1, 0, 4096, _END, 0, _END, 0)  # fmt: skip
    header += struct.pack("<I", 0) + b"\xff" * (108 * 4)
    folder = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _NONE, 2, len(stream))
    return header + table + folder.ljust(_SECTOR, b"\0") + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    spelt = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII16xI8x8xIQ", spelt, len(spelt) + 2, kind, 1, _NONE, _NONE, child, 0, start, size)


def por(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """Names of its variables are short and of plain letters, so a heading is a person's number."""
    short = [name.upper() if name.isascii() and len(name) < 9 else who.passport for name in names]
    labels = {name: f"{name} {_plain(who.whole)}" for name in short}
    frame = pd.DataFrame([[_plain(cell) for cell in row] for row in rows], columns=short)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.por"
        pyreadstat.write_por(frame, str(path), file_label=_plain(who.whole), column_labels=labels)
        content = path.read_bytes()
    head = content[:_PORTABLE_HEAD]
    return {f"people_{who.whole}.por": head + content[_PORTABLE_HEAD:].translate(bytes.maketrans(*_LENT))}


def _plain(value: str) -> str:
    """Each byte of a letter with an accent as a character that stands for nothing else: the library writes ASCII."""
    return value.encode().translate(bytes.maketrans(*reversed(_LENT))).decode("ascii")


def csdb(names: list[str], rows: list[list[str]], who: Person) -> Files:
    """A case file: the record, notes of an interviewer, another record, and labels of cases."""
    items = [name.replace('"', "") for name in names]
    columns = ", ".join(f"{quote(name)} text" for name in items)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csdb"
        with closing(sqlite3.connect(path)) as con:
            con.executescript(
                f"""
                create table meta (cspro_version, dictionary);
                create table cases (id text primary key, key, label, deleted integer, partial_save_mode text);
                create table "level-1" ("level-1-id" integer primary key, "case-id" text);
                create table people ("people-id" integer primary key, "level-1-id" integer, {columns});
                create table {quote(who.whole)} ("x-id" integer primary key, "level-1-id" integer, code text);
                create table notes (case_id text, content text);
                """
            )
            con.execute("insert into meta values (?, ?)", [who.name, who.whole])
            con.execute("insert into notes values (?, ?)", [who.cin, who.whole])
            for number, row in enumerate(rows, 1):
                con.execute("insert into cases values (?, ?, ?, 0, null)", [f"{who.cin}{number}", who.cin, who.whole])
                con.execute('insert into "level-1" values (?, ?)', [number, f"{who.cin}{number}"])
                marks = ", ".join("?" * (2 + len(row)))
                con.execute(f"insert into people values ({marks})", [number, number, *row])
            con.commit()
        return {f"people_{who.whole}.csdb": path.read_bytes()}
