"""Files that are no proper table, or not the one that the contract describes: what the envelope check must catch."""

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

from hims_synthetic.samples import ERROR_PAGE

Files = dict[str, bytes]


@dataclass(frozen=True)
class FileFault:
    """A fault of a whole file: `make` takes the good file's name and bytes, and gives the files of the delivery."""

    name: str
    expected_rule: str
    why: str
    make: Callable[[str, bytes], Files]
    source: str = "border_crossings"
    period: str = "2024-01"
    refused: bool = True


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[str, bytes], Files]:
    return lambda name, good: {name: change(good)}


def _lines(change: Callable[[list[str]], list[str]]) -> Callable[[str, bytes], Files]:
    """A change of the lines, each without its newline; the first is the header."""
    return _bytes(lambda good: "".join(f"{line}\n" for line in change(good.decode().splitlines())).encode())


def _header(change: Callable[[list[str]], list[str]]) -> Callable[[str, bytes], Files]:
    return _lines(lambda lines: [",".join(change(lines[0].split(","))), *lines[1:]])


def _line(number: int, change: Callable[[str], str]) -> Callable[[str, bytes], Files]:
    return _lines(lambda lines: [*lines[: number - 1], change(lines[number - 1]), *lines[number:]])


def _cut_in_half(good: bytes) -> bytes:
    half = good[: len(good) // 2]
    return half[:-1] if half.endswith(b"\n") else half  # never just behind a whole line


def _zip(name: str, good: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), good, zipfile.ZIP_DEFLATED)  # ZipInfo: no time of today in the bytes
    return packed.getvalue()


def _workbook() -> bytes:
    """The parts by which an Excel workbook is known, without a sheet."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(zipfile.ZipInfo(part), b'<?xml version="1.0"?><part/>')
    return packed.getvalue()


def _two_thirds(packed: bytes) -> bytes:
    return packed[: len(packed) * 2 // 3]


FILE_FAULTS = (
    FileFault(
        "html_page",
        "ENVELOPE-KIND",
        "An HTML error page that is called .csv.",
        _bytes(lambda good: ERROR_PAGE.encode()),
    ),
    FileFault("empty_file", "ENVELOPE-EMPTY", "A file of no bytes.", _bytes(lambda good: b"")),
    FileFault(
        "workbook_named_csv",
        "ENVELOPE-KIND",
        "An Excel workbook that is called .csv.",
        _bytes(lambda good: _workbook()),
    ),
    FileFault(
        "unknown_file",
        "ENVELOPE-UNKNOWN-FILE",
        "A file that belongs to no entity.",
        lambda name, good: {f"notes_{name}": good},
    ),
    FileFault("cut_in_half", "ENVELOPE-TRUNCATED", "A file cut in the middle of a line.", _bytes(_cut_in_half)),
    FileFault(
        "gzip_cut",
        "ENVELOPE-ARCHIVE",
        "A gzip file whose last third is missing.",
        lambda name, good: {f"{name}.gz": _two_thirds(gzip.compress(good, mtime=0))},
    ),
    FileFault(
        "zip_cut",
        "ENVELOPE-ARCHIVE",
        "A zip archive whose last third is missing.",
        lambda name, good: {f"{name[:-4]}.zip": _two_thirds(_zip(name, good))},
    ),
    FileFault(
        "windows_1256_as_utf_8",
        "ENVELOPE-ENCODING",
        "A file in Windows-1256 where UTF-8 is declared.",
        _bytes(lambda good: good.decode().encode("windows-1256")),
        source="rgph",
        period="2024",
    ),
    FileFault(
        "utf_16",
        "ENVELOPE-ENCODING",
        "A file in UTF-16.",
        _bytes(lambda good: b"\xff\xfe" + good.decode().encode("utf-16-le")),
    ),
    FileFault("nul_byte", "ENVELOPE-NUL", "A NUL byte in a value.", _line(700, lambda line: line[:-1] + "\0")),
    FileFault("no_header", "ENVELOPE-HEADER", "The header is missing.", _lines(lambda lines: lines[1:])),
    FileFault(
        "shifted_header",
        "ENVELOPE-HEADER",
        "Each name stands one column too far left.",
        _header(lambda n: [*n[1:], n[0]]),
    ),
    FileFault(
        "swapped_header",
        "ENVELOPE-HEADER",
        "Two names changed places, the values did not.",
        _header(lambda n: [{"sex": "residence_status", "residence_status": "sex"}.get(one, one) for one in n]),
    ),
    FileFault(
        "renamed_header",
        "ENVELOPE-HEADER",
        "sex is called gender.",
        _header(lambda n: ["gender" if one == "sex" else one for one in n]),
    ),
    FileFault(
        "extra_column",
        "ENVELOPE-HEADER",
        "A column more than the contract has.",
        _lines(lambda lines: [f"{lines[0]},remark", *(f"{line}," for line in lines[1:])]),
    ),
    FileFault(
        "missing_column",
        "ENVELOPE-HEADER",
        "The last column is missing.",
        _lines(lambda lines: [line.rpartition(",")[0] for line in lines]),
    ),
    FileFault(
        "wrong_delimiter", "ENVELOPE-HEADER", "Semicolons for commas.", _bytes(lambda good: good.replace(b",", b";"))
    ),
    FileFault(
        "open_quote",
        "ENVELOPE-QUOTES",
        "A quote that is never closed.",
        _line(700, lambda line: line.replace(",", ',"', 1)),
    ),
    FileFault(
        "short_line", "ENVELOPE-COLUMNS", "A line with a field less.", _line(700, lambda line: line.rpartition(",")[0])
    ),
    FileFault("long_line", "ENVELOPE-COLUMNS", "A line with a field more.", _line(700, lambda line: line + ",1")),
    FileFault("zero_rows", "ENVELOPE-ROWS", "A header and no row.", _lines(lambda lines: lines[:1])),
)
