"""Delimited text and archives of it."""

import gzip
import zipfile
from typing import Any

from tests.readers.conftest import COLUMNS
from tests.readers.corpus.made import EQUAL, Case, Twin, before, behind, cut, sub, whole, without_end, zipped

LINES = [b"id,name,birth,weight"] + [f"{n},Ali,2000-01-0{n},1.5".encode() for n in range(1, 10)]
GOOD = b"\n".join(LINES) + b"\n"
QUOTED = GOOD.replace(b"Ali", b'"Ali, ""the"" one"')
NEWLINES = GOOD.replace(b"Ali", b'"Ali\nof two lines"')
ACCENTS = GOOD.replace(b"Ali", "Béa".encode("cp1252"))
ARABIC = GOOD.replace(b"Ali", "منى بن علي".encode("cp1256"))
WIDE = GOOD.decode().encode("utf-16")
SPARE = b"\n".join(line + b"," + (b"note" if line.startswith(b"id") else b"x") for line in LINES) + b"\n"
TITLED = b"A title\nand, another\n\n" + GOOD + b"\nSource: the office\n"
YEARS = b"town,2023,2024,\nTunis,1,2,\nSfax,3,,\n"
UNPIVOT: tuple[dict[str, Any], ...] = (
    {"name": "town"},
    {"name": "year", "type": "integer"},
    {"name": "n", "type": "integer"},
)
SPARED = {"entity": {"header": ["id", "name", "birth", "weight", "note"]}}
TWINS = {
    "csv": Twin({"people.csv": GOOD}, COLUMNS),
    "quoted": Twin({"people.csv": QUOTED}, COLUMNS),
    "newlines": Twin({"people.csv": NEWLINES}, COLUMNS),
    "windows-1252": Twin({"people.csv": ACCENTS}, COLUMNS, {"format": {"encoding": "windows-1252"}}),
    "windows-1256": Twin({"people.csv": ARABIC}, COLUMNS, {"format": {"encoding": "windows-1256"}}),
    "utf-16": Twin({"people.csv": WIDE}, COLUMNS, {"format": {"encoding": "utf-16"}}),
    "by_name": Twin(
        {"people.csv": SPARE}, COLUMNS, SPARED | {"format": {"header": "by_name", "unread_damage": "refuse"}}
    ),
    "unread": Twin({"people.csv": SPARE}, COLUMNS, SPARED | {"format": {"header": "by_name"}}),
    "in order": Twin({"people.csv": SPARE}, COLUMNS, SPARED | {"format": {"unread_damage": "tell"}}),
    "titled": Twin({"people.csv": TITLED}, COLUMNS, {"format": {"skip_rows": 3, "stop_at_blank": True}}),
    "years": Twin(
        {"people.csv": YEARS},
        UNPIVOT,
        {"format": {"trailing_delimiter": True, "unpivot": {"names": "year", "values": "n"}}},
    ),
    "gzip": Twin({"people.csv.gz": gzip.compress(GOOD, mtime=0)}, COLUMNS),
    "zip": Twin({"sent.zip": zipped({"people.csv": GOOD})}, COLUMNS),
}


def with_rows(*rows: bytes) -> bytes:
    return GOOD + b"".join(row + b"\n" for row in rows)


def flipped(content: bytes) -> bytes:
    """One bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


XLSX = zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
PLAIN = {
    # name of the case: (bytes, rule, words of the message)
    "empty file": (b"", "ENVELOPE-EMPTY", "empty"),
    "header only": (LINES[0] + b"\n", "ENVELOPE-ROWS", "0 rows"),
    "no header": (b"\n".join(LINES[1:]) + b"\n", "ENVELOPE-HEADER", "first line may be data"),
    "header swapped": (GOOD.replace(b"id,name", b"name,id"), "ENVELOPE-HEADER", "out of order from column 1"),
    "header renamed": (
        GOOD.replace(b"birth", b"born"),
        "ENVELOPE-HEADER",
        "missing: 'birth'; not in the contract: 'born'",
    ),
    "column missing": (b"id,name,birth\n1,a,2000-01-01\n", "ENVELOPE-HEADER", "missing: 'weight'"),
    "column added": (b"id,name,birth,weight,x\n1,a,,,2\n", "ENVELOPE-HEADER", "not in the contract: 'x'"),
    "column twice": (b"id,name,birth,weight,id\n1,a,,,2\n", "ENVELOPE-HEADER", "named twice: 'id'"),
    "other delimiter": (GOOD.replace(b",", b";"), "ENVELOPE-HEADER", "delimiter is probably not ','"),
    "header shifted": (b"id;name," + GOOD, "ENVELOPE-HEADER", "header"),
    "short row": (with_rows(b"10,a"), "ENVELOPE-COLUMNS", "lines: 11"),
    "long row": (with_rows(b"10,a,,1,2"), "ENVELOPE-COLUMNS", "lines: 11"),
    "blank line": (GOOD + b"\n10,a,,\n", "ENVELOPE-BLANK-LINE", "lines: 11"),
    "blank line at the end": (GOOD + b"\n", "ENVELOPE-BLANK-LINE", "lines: 11"),
    "unclosed quote": (with_rows(b'10,"a,,', b"11,b,,"), "ENVELOPE-QUOTES", "opened in line 11"),
    "text behind a quote": (with_rows(b'10,"a"b,,'), "ENVELOPE-QUOTES", "lines: 11"),
    "mixed newlines": (GOOD.replace(b"\n", b"\r\n", 3), "ENVELOPE-NEWLINES", "different ways"),
    "old Mac newlines": (GOOD.replace(b"\n", b"\r"), "ENVELOPE-NEWLINES", "carriage return"),
    "a lone carriage return": (with_rows(b"10,a\rb,,"), "ENVELOPE-NEWLINES", "lone CR"),
    "cut in half": (GOOD[: len(GOOD) // 2 - 3], "ENVELOPE-TRUNCATED", "middle of a line"),
    "last newline missing": (GOOD[:-1], "ENVELOPE-TRUNCATED", "send it again"),
    "cut inside a letter": (GOOD + "10,é".encode()[:-1], "ENVELOPE-TRUNCATED", "cut off"),
    "NUL bytes": (with_rows(b"10,\0a,,"), "ENVELOPE-NUL", "1 NUL"),
    "replacement characters": (with_rows("10,Ren\ufffd,,".encode()), "ENVELOPE-REPLACEMENT", "U+FFFD"),
    "Windows-1256 as UTF-8": (ARABIC, "ENVELOPE-ENCODING", "looks like windows-1256"),
    "Latin-1 as UTF-8": (with_rows("10,Béja élan,,".encode("latin-1")), "ENVELOPE-ENCODING", "in line 11,"),
    "UTF-16 as UTF-8": (WIDE, "ENVELOPE-ENCODING", "UTF-16"),
    "mixed encodings": (
        with_rows("10,é,,".encode() * 9, "11,é,,".encode("latin-1")),
        "ENVELOPE-ENCODING",
        "mostly|most",
    ),
    "an HTML page": (b"<!DOCTYPE html>\n<html><body>Not found</body></html>\n", "ENVELOPE-KIND", "HTML page"),
    "an XML document": (b'<?xml version="1.0"?>\n<error/>\n', "ENVELOPE-KIND", "XML"),
    "a workbook": (XLSX, "ENVELOPE-KIND", "Excel workbook"),
    "a PDF": (b"%PDF-1.7\n...", "ENVELOPE-KIND", "PDF"),
    "an SQLite database": (b"SQLite format 3\0" + bytes(99), "ENVELOPE-KIND", "SQLite"),
    "a DuckDB database": (bytes(8) + b"DUCK" + bytes(99), "ENVELOPE-KIND", "DuckDB"),
    "a Parquet file": (b"PAR1" + bytes(20) + b"PAR1", "ENVELOPE-KIND", "Parquet"),
    "digits of another script": (with_rows("١٠,a,,".encode()), "TYPES-INTEGER", "Arabic-Indic"),
    "day and month swapped": (with_rows(b"10,a,2000-13-01,"), "TYPES-DATE", "no such day"),
    "a second file glued on": (GOOD + GOOD, "TYPES-INTEGER", "other text"),
    "a year of the Hijra": (with_rows(b"10,a,1445-09-01,"), "TYPES-DATE", "Hijri"),
    "a Hijra year of two digits": (with_rows(b"10,a,45-09-01,"), "TYPES-DATE", "no such day|other text"),
    "numbers in groups": (with_rows(b"10,a,,1 234.5"), "TYPES-DECIMAL", "digit separators"),
    "a decimal comma": (with_rows(b'10,a,,"1,5"'), "TYPES-DECIMAL", "comma"),
    "a digit too many": (with_rows(b"10,a,,1.23456"), "TYPES-DECIMAL", "too many digits"),
    "a number from Excel": (with_rows(b"1E+08,a,,"), "TYPES-INTEGER", "exponent form"),
    "a JSON document": (b'[{"id": 1, "name": "a"}]\n', "ENVELOPE-KIND", "JSON"),
    "a JSON document of several lines": (b'{\n  "rows": [\n    [1, 2]\n  ]\n}\n', "ENVELOPE-KIND", "JSON"),
    "a JSON document a line": (b'{"id": 1}\n{"id": 2}\n', "ENVELOPE-KIND", "JSON"),
    "statements of SQL": (b"-- a dump\nINSERT INTO people VALUES (1, 'Ali');\n", "ENVELOPE-KIND", "SQL"),
    "a document of Word": (
        zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}),
        "ENVELOPE-KIND",
        "Word",
    ),
    "an archive that opens itself": (b"MZ" + bytes(500) + zipped({"people.csv": GOOD}), "ENVELOPE-KIND", "program"),
    "an archive within a script": (b"#!/bin/sh\nunzip $0\n" + zipped({"people.csv": GOOD}), "ENVELOPE-KIND", "program"),
    "UTF-8 that was encoded twice": (
        GOOD.replace(b"Ali", "Béja élan".encode().decode("cp1252").encode()),
        "ENVELOPE-ENCODING",
        "twice",
    ),
    "Arabic in UTF-8 that was encoded twice": (
        GOOD.replace(b"Ali", "تونس".encode().decode("latin-1").encode()),
        "ENVELOPE-ENCODING",
        "twice",
    ),
    "a zero byte for each letter": (WIDE[2:], "ENVELOPE-ENCODING", "UTF-16 without"),
}
CASES = {
    **{name: Case("csv", whole(content), rule, words) for name, (content, rule, words) in PLAIN.items()},
    "a mark of the byte order": Case("csv", before(b"\xef\xbb\xbf"), EQUAL),
    "two marks of the byte order": Case("csv", before(b"\xef\xbb\xbf" * 2), "ENVELOPE-HEADER"),
    "newlines of Windows": Case("csv", sub(b"\n", b"\r\n"), EQUAL),
    "all fields quoted": Case(
        "csv", lambda _: b"\n".join(b",".join(b'"%s"' % f for f in line.split(b",")) for line in LINES) + b"\n", EQUAL
    ),
    "an end-of-file mark of DOS": Case("csv", behind(b"\x1a"), EQUAL),
    "a delimiter at each line's end": Case("csv", sub(b"\n", b",\n"), "ENVELOPE-HEADER"),
    "a blank first line": Case("csv", before(b"\n"), "ENVELOPE-HEADER"),
    "a line for Excel": Case("csv", before(b"sep=,\n"), "ENVELOPE-HEADER"),
    "a total below": Case("csv", behind(b"Total,,,13.5\n"), "TYPES-INTEGER"),
    "quotes escaped by a backslash": Case("quoted", sub(b'""', b'\\"'), "ENVELOPE-QUOTES"),
    "a quote lost": Case("quoted", sub(b'one"', b"one", 1), "ENVELOPE-QUOTES|ENVELOPE-COLUMNS"),
    "quotes made typographic": Case("quoted", sub(b'"Ali', "“Ali".encode()), "ENVELOPE-QUOTES|ENVELOPE-COLUMNS"),
    "cut within a quoted newline": Case("newlines", lambda c: c[: c.rindex(b"\nof")] + b"\n", "ENVELOPE-QUOTES"),
    "a short row among quoted newlines": Case("newlines", behind(b"10,a\n"), "ENVELOPE-COLUMNS"),
    "a byte that Windows-1252 lacks": Case(
        "windows-1252", sub(b"B\xe9a", b"B\x81a", 1), "ENVELOPE-ENCODING", "does not exist"
    ),
    "UTF-8 as Windows-1252": Case(
        "windows-1252", lambda c: c.decode("cp1252").encode(), "ENVELOPE-ENCODING", "is UTF-8"
    ),
    "a NUL in Windows-1252": Case("windows-1252", sub(b"B\xe9a", b"B\0a", 1), "ENVELOPE-NUL"),
    "UTF-8 as Windows-1256": Case(
        "windows-1256", lambda c: c.decode("cp1256").encode(), "ENVELOPE-ENCODING", "is UTF-8"
    ),
    "Windows-1256 as Windows-1252": Case("windows-1252", whole(ARABIC), "ENVELOPE-ENCODING", "looks like windows-1256"),
    "Windows-1251 as Windows-1252": Case(
        "windows-1252", whole(GOOD.replace(b"Ali", "Москва".encode("cp1251"))), "ENVELOPE-ENCODING", "no language"
    ),
    "code page 850 as Windows-1252": Case(
        "windows-1252", whole(GOOD.replace(b"Ali", "Béja".encode("cp850"))), "ENVELOPE-ENCODING", "no language"
    ),
    "Windows-1252 as Windows-1256": Case(
        "windows-1256", whole(GOOD.replace(b"Ali", "Íñigo SÃO".encode("cp1252"))), "ENVELOPE-ENCODING", "windows-1252"
    ),
    "UTF-16 cut within a letter": Case("utf-16", without_end(1), "ENVELOPE-"),
    "UTF-16 without its mark": Case("utf-16", lambda c: c[2:], "ENVELOPE-ENCODING", "byte order mark|control"),
    "UTF-16 of the other order": Case("utf-16", lambda c: c.decode("utf-16").encode("utf-16-be"), "ENVELOPE-ENCODING"),
    "columns in another order": Case(
        "by_name", lambda c: b"\n".join(b",".join(reversed(line.split(b","))) for line in c.splitlines()) + b"\n", EQUAL
    ),
    "a new column": Case("by_name", sub(b"\n", b",9\n"), "~ENVELOPE-DRIFT"),
    "an unread column gone": Case("by_name", whole(GOOD), "~ENVELOPE-DRIFT"),
    "a damaged byte where nobody reads": Case("unread", sub(b",x\n", b",\xff\n", 2), "~ENVELOPE-UNREAD-DAMAGE"),
    "lost letters where nobody reads": Case("unread", sub(b",x\n", b",\xef\xbf\xbd\n", 3), "~ENVELOPE-UNREAD-DAMAGE"),
    "a damaged byte in what is read": Case("unread", sub(b"3,Ali", b"3,A\xffi"), "ENVELOPE-ENCODING"),
    "a lost letter in what is read": Case("unread", sub(b"3,Ali", b"3,A\xef\xbf\xbdi"), "ENVELOPE-REPLACEMENT"),
    "a damaged name in the header": Case("unread", sub(b"birth", b"b\xffrth"), "ENVELOPE-HEADER"),
    "a delimiter turned into a damaged byte": Case("unread", sub(b"5,x", b"5\xffx", 1), "ENVELOPE-"),
    "a NUL where nobody reads": Case("unread", sub(b",x\n", b",\0\n", 2), "~ENVELOPE-UNREAD-DAMAGE"),
    "a NUL in what is read": Case("unread", sub(b"3,Ali", b"3,A\0i"), "ENVELOPE-NUL"),
    "a damaged byte where the contract lets it be": Case(
        "in order", sub(b",x\n", b",\xff\n", 2), "~ENVELOPE-UNREAD-DAMAGE"
    ),
    "a damaged name that nobody reads": Case("in order", sub(b"note", b"n\xffte"), "ENVELOPE-HEADER"),
    "a damaged byte where it is not tolerated": Case("by_name", sub(b",x\n", b",\xff\n", 1), "ENVELOPE-ENCODING"),
    "a title too few": Case("titled", sub(b"A title\n", b""), "ENVELOPE-HEADER"),
    "a blank line within": Case("titled", sub(b"4,Ali", b"\n4,Ali"), "ENVELOPE-BLANK-LINE"),
    "a title with an unclosed quote": Case("titled", sub(b"A title", b'A "title'), EQUAL),
    "titles alone": Case("titled", cut(0.08), "ENVELOPE-EMPTY"),
    "a delimiter at a line's end lost": Case("years", sub(b"1,2,\n", b"1,2\n"), "ENVELOPE-COLUMNS"),
    "a value behind the last delimiter": Case("years", sub(b"1,2,\n", b"1,2,7\n"), "ENVELOPE-"),
    "a year twice": Case("years", sub(b"2024", b"2023"), "ENVELOPE-HEADER"),
    "a heading that is no year": Case("years", sub(b"2024", b"total"), "TYPES-INTEGER"),
    "a gzip file in a gzip file": Case("gzip", gzip.compress, "ENVELOPE-ARCHIVE-NESTED", "inside an archive"),
    "a gzip file cut off": Case("gzip", without_end(12), "ENVELOPE-ARCHIVE", "incomplete"),
    "a gzip file with a wrong checksum": Case("gzip", lambda c: c[:-8] + bytes(8), "ENVELOPE-ARCHIVE", "checksum"),
    "a gzip file with a flipped bit": Case("gzip", flipped, "ENVELOPE-ARCHIVE"),
    "a gzip file with bytes behind": Case("gzip", behind(b"more"), "ENVELOPE-ARCHIVE"),
    "a zip cut off": Case("zip", without_end(30), "ENVELOPE-ARCHIVE", "incomplete"),
    "a zip with a flipped bit": Case("zip", flipped, "ENVELOPE-ARCHIVE"),
    "a zip without its first half": Case("zip", lambda c: c[len(c) // 2 :], "ENVELOPE-"),
    "an empty zip": Case("zip", whole(zipped({})), "ENVELOPE-MISSING-ENTITY"),
    "a zip with the file twice": Case(
        "zip", whole(zipped({"people.csv": GOOD, "a/people.csv": GOOD})), "ENVELOPE-TWICE"
    ),
    "a zip in a zip": Case("zip", lambda c: zipped({"people.zip": c}), "ENVELOPE-ARCHIVE-NESTED"),
    "a zip of another name within": Case("zip", whole(zipped({"persons.csv": GOOD})), "ENVELOPE-UNKNOWN-FILE"),
    "a zip packed without compression": Case("zip", whole(zipped({"people.csv": GOOD}, zipfile.ZIP_STORED)), EQUAL),
    "a zip packed by LZMA": Case("zip", whole(zipped({"people.csv": GOOD}, zipfile.ZIP_LZMA)), EQUAL),
    "a 7-Zip archive": Case("zip", whole(b"7z\xbc\xaf\x27\x1c" + bytes(60)), "ENVELOPE-"),
}
