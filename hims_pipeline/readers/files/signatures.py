"""What a file really is, by its first bytes; its name is not asked."""

import re
import struct
import zipfile
from pathlib import Path

# Kind -> the bytes that a file of this kind begins with.
_MAGIC = (
    ("gzip", b"\x1f\x8b"),
    ("pdf", b"%PDF"),
    ("sqlite", b"SQLite format 3\0"),
    ("parquet", b"PAR1"),
    ("spss", b"$FL2"),
    ("spss", b"$FL3"),
    ("stata", b"<stata_dta>"),
    ("old_office", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("7z", b"7z\xbc\xaf\x27\x1c"),
    ("rar", b"Rar!\x1a\x07"),
    ("bzip2", b"BZh"),
    ("xz", b"\xfd7zXZ\0"),
    ("zstandard", b"\x28\xb5\x2f\xfd"),
    ("rtf", b"{\\rtf"),
    ("sas", b"\0" * 12 + b"\xc2\xea\x81\x60"),
    ("sas_transport", b"HEADER RECORD*******LIB"),
    ("access", b"\0\x01\0\0Standard "),
    ("r", b"RDX2\n"),
    ("r", b"RDX3\n"),
    ("arrow", b"ARROW1\0\0"),
    ("hdf", b"\x89HDF"),
)
_JSON = re.compile(rb'\s*(?:\{\s*"|\[\s*[\[{]\s*["\d\[{])')
_SQL = re.compile(
    rb"(?:\s*(?:--[^\n]*\n|/\*.*?\*/;?|(?:set|begin|pragma|use)\b[^;]*;))*\s*(?:insert\s+into|(?:create|drop)\s+table)\s",
    re.S,
)
_MANY_ENTRIES = 5_000  # no workbook has so many parts
_OLD_STATA = (b"\x71", b"\x72", b"\x73")  # formats 113 to 115, then the byte order (1 or 2) and a 1
NAMES = {
    "zip": "a zip archive",
    "gzip": "a gzip file",
    "excel": "an Excel workbook",
    "office": "an OpenDocument sheet",
    "document": "a document of Word or the like (save its table as .xlsx or .csv)",
    "old_office": "an old Excel or Word file",
    "pdf": "a PDF document",
    "sqlite": "an SQLite database",
    "duckdb": "a DuckDB database",
    "parquet": "a Parquet file",
    "spss": "an SPSS file",
    "spss_portable": "an SPSS portable file",
    "stata": "a Stata file",
    "7z": "a 7-Zip archive",
    "rar": "a RAR archive",
    "bzip2": "a bzip2 file",
    "xz": "an xz file",
    "zstandard": "a Zstandard file",
    "tar": "a tar archive",
    "rtf": "a document in Rich Text Format",
    "sas": "a SAS dataset",
    "sas_transport": "a SAS transport file",
    "access": "a database of Access",
    "r": "saved data of R",
    "arrow": "an Arrow (Feather) file",
    "hdf": "an HDF file",
    "html": "an HTML page (often an error page of the server it was fetched from)",
    "xml": "an XML document",
    "json": "a JSON document (export it as a table)",
    "sql": "a list of SQL statements (export each table)",
    "program": "a program, perhaps an archive that opens itself",
    "utf-16": "text in UTF-16",
    "utf-16 unmarked": "text in UTF-16 without its byte order mark (save it as UTF-8)",
    "utf-32": "text in UTF-32",
    "text": "text",
    "empty": "empty",
}


def kind_of(path: Path) -> str:
    """One of the keys of `NAMES`; `text` is what no other kind claims."""
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        return "empty"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return _zip_kind(path)
    for kind, magic in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith((b"#!/", b"\x7fELF")) or (head[:2] == b"MZ" and b"\0" in head):
        return "program"
    if head[8:12] == b"DUCK":
        return "duckdb"
    if head[:1] in _OLD_STATA and head[1:2] in (b"\x01", b"\x02") and head[2:3] == b"\x01":
        return "stata"
    if b"".join(line.ljust(80) for line in head.splitlines())[456:464] == b"SPSSPORT":
        return "spss_portable"  # behind five lines in which anything may stand
    if head[257:265] in (b"ustar\x0000", b"ustar  \0"):
        return "tar"
    if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "utf-32"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-16 unmarked" if _is_every_other_zero(head) else _text_kind(head)


def entries_claimed(path: Path) -> int | None:
    """How many entries a zip says it has, by its last bytes alone; None where they are missing.

    A directory too large for its entries counts as many: opening a million of them takes a gigabyte.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557))  # the end record, and the longest comment behind it
        tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < 22:
        return None
    entries: int
    directory: int
    entries, directory = struct.unpack("<HI", tail[place + 10 : place + 16])
    return max(entries, directory // 1_000)


def _zip_kind(path: Path) -> str:
    if (entries_claimed(path) or 0) > _MANY_ENTRIES:
        return "zip"
    try:
        with zipfile.ZipFile(path) as archive:
            names, stated = archive.namelist(), b""
            if "mimetype" in names and "content.xml" in names:
                with archive.open("mimetype") as file:
                    stated = file.read(100)
    except (zipfile.BadZipFile, OSError, RuntimeError, ValueError):  # which NotImplementedError is
        return "zip"  # damaged; the reader that opens it says so
    if "[Content_Types].xml" in names:
        return "excel" if any(name.startswith("xl/") for name in names) else "document"
    if not stated:
        return "zip"
    return "office" if b"spreadsheet" in stated else "document"


def _is_every_other_zero(head: bytes) -> bool:
    """Do zeros stand in even places alone, or in odd ones? So do those of digits, delimiters and newlines in UTF-16."""
    counts = sorted((head[0::2].count(0), head[1::2].count(0)))
    return counts[0] == 0 and counts[1] > max(2, len(head) // 20)


def _text_kind(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    if start.startswith(b"<?xml"):
        return "xml"
    return "json" if _JSON.match(start) else "sql" if _SQL.match(start) else "text"
