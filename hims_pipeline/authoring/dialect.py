"""How an unknown file seems to be written: format, encoding, delimiter, names. A guess for people, never used to read
a delivery."""

import csv
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.contracts.formats import Format, Unpivot
from hims_pipeline.errors import HimsError
from hims_pipeline.readers.files.encodings import BLOCK, UTF8, guess_codecs, is_mostly_utf8
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.formats.codebook import Codebook
from hims_pipeline.readers.formats.eurostat_tsv import split_heading
from hims_pipeline.readers.formats.sdmx_csv import OF_THE_STANDARD, version_of
from hims_pipeline.readers.shape import compose_letters
from hims_pipeline.settings import Settings

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LINES = 200
_EXCELS_FIRST_LINE = re.compile(r"sep=.", re.I)  # by which it is told a delimiter
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'(?:[^']|'')*'(?=$|[,;\t|])")
_YEAR = re.compile(r"(19|20)[0-9]{2}")
_TYPES = {
    "parquet": "parquet",
    "excel": "excel",
    "office": "excel",
    "old_office": "excel",
    "spss": "spss",
    "spss_portable": "spss",
    "stata": "stata",
}


@dataclass(frozen=True)
class Dialect:
    """The format that a file seems to have, the names in its header, what a person must look at, and the names of the
    columns that no reader reads."""

    form: Format
    names: list[str]
    remarks: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def guess_dialect(settings: Settings, path: Path) -> Dialect:
    """Look at a file that is no archive.

    Raises:
        HimsError: it is of no kind that a reader opens, or holds no header.
        DataError: it is of such a kind, but damaged.
    """
    kind = kind_of(path)
    if kind in ("text", "utf-16"):
        return _text(path, kind)
    if kind not in _TYPES:
        raise HimsError(f"{path.name} is {NAMES[kind]}; no reader opens that.")
    form = Format(type=_TYPES[kind])
    if form.type == "excel":
        from hims_pipeline.authoring.draft_sheets import suit
        from hims_pipeline.readers.formats.excel import guess_skip_rows

        form = form.model_copy(update={"skip_rows": guess_skip_rows(path)})
        names = names_of(path, form)
        form, remarks = suit(path, form, names)
        return Dialect(form, names, tuple(remarks))
    if form.type == "parquet":
        from hims_pipeline.readers.formats.parquet import parquet_names

        names, nested = parquet_names(settings, path)
        remark = f"{len(nested)} columns hold lists or structures, and are left unread"
        return Dialect(form, names, (remark,) if nested else (), tuple(nested))
    return Dialect(form, names_of(path, form))


def names_of(path: Path, form: Format) -> list[str]:
    """Column names of a file that is no delimited text, in its order.

    Raises:
        DataError: the file cannot be opened.
    """
    if form.type == "excel":
        from hims_pipeline.readers.formats.excel import sheet_names

        return [compose_letters(name) for name in sheet_names(path, form)]
    return read_variable_labels(path, form.type).names


def read_variable_labels(path: Path, kind: str) -> Codebook:
    """The codebook within an SPSS or Stata file.

    Args:
        kind: `spss` or `stata`.

    Raises:
        DataError: it is damaged.
    """
    from hims_pipeline.readers.formats import spss, stata

    return spss.read_codebook(path) if kind == "spss" else stata.read_codebook(path)


def _text(path: Path, kind: str) -> Dialect:
    with path.open("rb") as file:
        head = file.read(BLOCK)
    encoding, remark = ("utf-16", None) if kind == "utf-16" else guess_encoding(path)
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:_SAMPLE_LINES]  # other breaks are letters
    if lines[-1] == "":
        lines.pop()
    if len(head) == BLOCK:
        lines.pop()  # cut by the block's end
    if lines and (keys := split_heading(lines[0].split("\t")[0])) and "\t" in lines[0]:
        unpivot = Unpivot(names=keys[1], values="OBS_VALUE")
        return Dialect(Format(type="eurostat_tsv", unpivot=unpivot), [*keys[0], keys[1], unpivot.values])
    quote = "'" if _is_in_single_quotes(lines) else '"'
    above = 1 if lines and _EXCELS_FIRST_LINE.fullmatch(lines[0]) else _titles(lines, quote)
    delimiter, rows = _split(lines[above:], quote)
    if not rows:
        raise HimsError(f"{path.name} holds no line of text.")
    trailing = len(rows[0]) > 1 and all(len(row) == len(rows[0]) and row[-1] == "" for row in rows)
    names = rows[0][:-1] if trailing else rows[0]
    if version_of(names):
        form = Format(type="sdmx_csv", delimiter=delimiter)
        return Dialect(form, [name for name in names if name not in OF_THE_STANDARD])
    form = Format(
        delimiter=delimiter,
        quote=quote,
        encoding=encoding,
        trailing_delimiter=trailing,
        skip_rows=above,
        final_newline=kind == "utf-16" or _ends_in_newline(path),
        stop_at_blank=len(names) > 1 and _ends_in_blank_lines(path, delimiter),
    )
    first = next((place for place, name in enumerate(names) if _YEAR.fullmatch(name.strip())), len(names))
    if first and len(names) - first > 1 and all(_YEAR.fullmatch(name.strip()) for name in names[first:]):
        made = [name if name not in names else f"{name}_" for name in ("year", "value")]
        form = form.model_copy(update={"unpivot": Unpivot(names=made[0], values=made[1])})
        names = [*names[:first], *made]
    remarks = [remark] if remark else []
    if len(names) == 1:
        remarks.append("one column was found; text with another delimiter, or at fixed places, would look so too")
    return Dialect(form, [compose_letters(name) for name in names], tuple(remarks))


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() in (b"\n", b"\r")


def _ends_in_blank_lines(path: Path, delimiter: str) -> bool:
    """Is the last line blank, or of nothing but delimiters? In a text of two bytes a letter that is not looked for."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1000))
        lines = file.read().replace(b"\r", b"").split(b"\n")
    return len(lines) > 2 and not any(line.strip(b" " + delimiter.encode()) for line in lines[-2:])


def _is_in_single_quotes(lines: list[str]) -> bool:
    """Are more lines as wide as the others where single quotes stand around fields, or as many, and most lines have
    fields in such quotes? An apostrophe within a word or before it is none."""
    widths = {quote: max(_even_lines(lines, delimiter, quote) for delimiter in _DELIMITERS) for quote in "'\""}
    quoted = sum(bool(_SINGLE_QUOTED.search(line)) for line in lines)
    return quoted > 0 and (widths["'"] > widths['"'] or (widths["'"] == widths['"'] and 2 * quoted > len(lines)))


def _even_lines(lines: list[str], delimiter: str, quote: str) -> int:
    """How many lines stand in records of the usual width, of more than one field."""
    records = _records(lines, delimiter, quote)
    widths = [width for *_, width in records]
    usual = max(sorted(set(widths)), key=widths.count, default=0)
    return sum(count for _, count, width in records if width == usual > 1)


def _titles(lines: list[str], quote: str) -> int:
    """How many lines of titles stand above the table: those before the first line that is as wide as most of them. A
    sheet saved as text fills its titles with delimiters up to the last column; they count up to their last words."""
    best, above = 0.0, 0
    for delimiter in _DELIMITERS:
        for records in (
            _records(lines, delimiter, quote),
            [(n, 1, _width(one, delimiter, quote)) for n, one in enumerate(lines)],
        ):
            widths = [width for *_, width in records]
            usual = max(sorted(set(widths)), key=widths.count, default=0)
            fitting = [(first, count) for first, count, width in records if width >= usual > 1]
            share = sum(count for _, count in fitting) / len(lines)
            if share > best:
                best, above = share, fitting[0][0]
    return above


def _records(lines: list[str], delimiter: str, quote: str) -> list[tuple[int, int, int]]:
    """First line (from 0), lines and fields of each record; none where quotes are not closed."""
    reader = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, quotechar=quote)
    records, before = [], 0
    try:
        for row in reader:
            records.append((before, reader.line_num - before, _width_of(row)))
            before = reader.line_num
    except csv.Error:
        return []
    return records


def _width(line: str, delimiter: str, quote: str) -> int:
    return _width_of(next(csv.reader([line], delimiter=delimiter, quotechar=quote), []))


def _width_of(row: list[str]) -> int:
    return max((place for place, cell in enumerate(row, 1) if cell.strip()), default=0)


def guess_encoding(path: Path) -> tuple[str, str | None]:
    """UTF-8 where the whole file is, else what the first block with another byte may be in, and what a person must
    look at then."""
    block = _read_block_beyond_utf8(path)
    if block is None or is_mostly_utf8(block):  # of which single characters were damaged, as its reader says
        return UTF8, None
    likely = guess_codecs(block)
    if not likely:
        return "windows-1252", (
            "the file is no UTF-8, and nothing tells what else: windows-1252 only stands there so that it can be read. "
            "Ask for the file in UTF-8"
        )
    others = f"; {' and '.join(likely[1:])} would fit as well, with other letters" if likely[1:] else ""
    return likely[0], f"the file is no UTF-8, and {likely[0]} is a guess: look at letters with accents{others}"


def _read_block_beyond_utf8(path: Path) -> bytes | None:
    with path.open("rb") as file:
        rest = b""
        while block := file.read(BLOCK):
            whole = rest + block
            try:
                whole.decode()
                rest = b""
            except UnicodeDecodeError as error:
                if len(whole) - error.start > 3:
                    return whole
                rest = whole[error.start :]
    return None


def _split(lines: list[str], quote: str) -> tuple[str, list[list[str]]]:
    """The delimiter under which most lines have as many fields as the first one, and the most of them."""
    best: tuple[tuple[float, int], str, list[list[str]]] = ((0.0, 0), ",", [])
    for delimiter in _DELIMITERS:
        rows = [row for row in csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, quotechar=quote) if row]
        if not rows:
            continue
        even = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        score = (even if len(rows[0]) > 1 else 0.0, len(rows[0]))
        if score > best[0]:
            best = (score, delimiter, rows)
    return best[1], best[2]


def slug(name: str) -> str:
    """A name as contracts have them, from a file's: `People 2024.csv` becomes `people_2024`."""
    plain = unicodedata.normalize("NFKD", name.split(".")[0]).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return slug if slug[:1].isalpha() else f"source_{slug}".strip("_")
