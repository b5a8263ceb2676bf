"""A corpus of malformed files: each is refused with a reason that names the file, or loads exactly. Nothing between."""

import gzip
import io
import zipfile

import pytest

from hims_pipeline.lake.arrival import Unfit
from hims_pipeline.readers.files.archives import expand

LINES = [b"id,name,birth,weight"] + [f"{n},Ali,2000-01-0{n},1.5".encode() for n in range(1, 10)]
GOOD = b"\n".join(LINES) + b"\n"


def zipped(entries: dict[str, bytes], **kind) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def with_rows(*rows: bytes) -> bytes:
    return GOOD + b"".join(row + b"\n" for row in rows)


XLSX = zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
ARABIC = "id,name,birth,weight\n1,منى بن علي,2000-01-01,1.5\n".encode("cp1256") * 1
CORPUS = {
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
    "UTF-16 as UTF-8": (GOOD.decode().encode("utf-16"), "ENVELOPE-ENCODING", "UTF-16"),
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
    "a gzip file in a gzip file": (gzip.compress(gzip.compress(GOOD)), "ENVELOPE-ARCHIVE-NESTED", "inside an archive"),
    "a gzip file cut off": (gzip.compress(GOOD)[:-12], "ENVELOPE-ARCHIVE", "incomplete"),
    "a gzip file with a flipped byte": (gzip.compress(GOOD)[:-8] + b"\0" * 8, "ENVELOPE-ARCHIVE", "checksum"),
    "a zip cut off": (zipped({"people.csv": GOOD})[:-30], "ENVELOPE-ARCHIVE", "incomplete"),
    "digits of another script": (with_rows("١٠,a,,".encode()), "TYPES-INTEGER", "Arabic-Indic"),
    "day and month swapped": (with_rows(b"10,a,2000-13-01,"), "TYPES-DATE", "no such day"),
    "a second file glued on": (GOOD + GOOD, "TYPES-INTEGER", "other text"),
}


@pytest.mark.parametrize("case", CORPUS)
def test_refused_with_a_reason_that_names_the_file(read, case):
    content, rule, words = CORPUS[case]
    seen = read({"people.csv": content})
    assert rule in seen.rules, seen.text
    assert "people.csv" in seen.text
    assert any(word in seen.text for word in words.split("|")), seen.text
    assert seen.result.entities == {}
    assert "Ali" not in seen.text


@pytest.mark.parametrize("share", range(1, 100, 7))
def test_a_file_cut_anywhere_is_refused_or_ends_with_a_whole_line(read, share):
    size = len(GOOD) * share // 100
    seen = read({"people.csv": GOOD[:size]})
    assert seen.result.entities == {} or GOOD[size - 1 : size] == b"\n"


def test_latin_1_declared_and_utf_8_sent(read):
    seen = read({"people.csv": GOOD.replace(b"Ali", "Béa".encode())}, format={"encoding": "iso-8859-15"})
    assert seen.rules == ["ENVELOPE-ENCODING"]
    assert "is UTF-8" in seen.text


def test_latin_1_declared_and_windows_1252_sent(read):
    seen = read({"people.csv": GOOD.replace(b"Ali", "A’s".encode("cp1252"))}, format={"encoding": "iso-8859-1"})
    assert seen.rules == ["ENVELOPE-ENCODING"]
    assert "windows-1252" in seen.text


def test_limits_of_size_and_line(read):
    seen = read({"people.csv": with_rows(b"10," + b"a" * 500 + b",,")}, limits={"line_bytes": 300})
    assert seen.rules == ["ENVELOPE-LINE-LENGTH"]
    assert "line 11 " in seen.text


def test_a_file_above_the_limit_is_not_even_copied(read):
    with pytest.raises(Unfit, match=r"file 1 .* and the contract allows 20"):
        read({"people.csv": GOOD}, limits={"file_bytes": 20})


def test_a_limit_that_was_lowered_after_a_delivery_holds(tmp_path, contract_for):
    (tmp_path / "people.csv").write_bytes(GOOD)
    _, [finding] = expand(contract_for(limits={"file_bytes": 20}), [tmp_path / "people.csv"], tmp_path, print)
    assert finding.rule == "ENVELOPE-SIZE"


def test_all_of_a_file_at_once(read):
    seen = read({"people.csv": GOOD.replace(b"birth", b"born").replace(b"Ali", b"\0\xef\xbf\xbd")[:-1]})
    assert seen.rules == ["ENVELOPE-HEADER", "ENVELOPE-TRUNCATED", "ENVELOPE-NUL", "ENVELOPE-REPLACEMENT"]


def test_a_first_line_of_data_is_not_shown(read):
    seen = read({"people.csv": b"08765432,Trabelsi,2000-01-01,1.5\n08765433,Ben Ali,2000-01-01,1\n"})
    assert "Trabelsi" not in seen.text
    assert "08765432" not in seen.text
