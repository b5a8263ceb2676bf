"""Records of delimited text, one by one, with Python's own parser: slow, exact about lines, and independent of DuckDB.

Used for the header, where a quoted field may hold a newline, and to say which lines are wrong once something is.
"""

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from hims_pipeline.contracts.formats import Format
from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.words import words

BOM = b"\xef\xbb\xbf"
_SHOWN_LINES = 5
_KEPT_RAW = 10_000


@dataclass(frozen=True)
class Header:
    """Names in the first record (none where the format has no header), where it ends, and how many lines it takes."""

    names: list[str]
    end: int
    lines: int


def read_header(path: Path, form: Format, line_bytes: int) -> Header:
    """The first record of a UTF-8 file. Bytes that do not decode are replaced: the envelope refuses them anyway.

    Raises:
        DataError: it cannot be split into names.
    """
    with path.open("rb") as file:
        head = file.read(line_bytes + 1)
    start = len(BOM) if head.startswith(BOM) else 0
    if not form.header:
        return Header([], start, 0)
    quote = form.quote.encode()
    end = start
    while (line_end := head.find(b"\n", end)) >= 0:
        end = line_end + 1
        if not quote or head.count(quote, start, end) % 2 == 0:
            break
    else:
        end = len(head)
    text = head[start:end].decode(errors="replace")
    try:
        names = next(_records(io.StringIO(text, newline=""), form), [])
    except csv.Error:  # and raise outside: its text may quote the line
        names = None
    if names is None:
        message = words("the header has quotes in the wrong place, or its delimiter is another one; export it again")
        raise DataError("ENVELOPE-QUOTES", message)
    return Header(names, end, head.count(b"\n", start, end))


@dataclass
class Places:
    """How many records have something, and the numbers of the first few (the header is 1)."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        self.count += 1
        if self.count <= _SHOWN_LINES:
            self.first.append(number)


@dataclass
class Structure:
    """What the parser saw: records of data, and those that do not fit.

    `ragged` have another number of fields, `quotes` broken quotes, `blank` nothing at all; `raw` are the first of their
    texts with their numbers, for the reject table alone; `unclosed` is the line of a quote that is never closed.
    `width` is how many fields a record has, 0 where places tell columns apart; `lines_differ` tells that quoted
    newlines make the numbers of lines and records differ.
    """

    records: int = 0
    width: int = 0
    ragged: Places = field(default_factory=Places)
    quotes: Places = field(default_factory=Places)
    blank: Places = field(default_factory=Places)
    raw: list[tuple[int, str]] = field(default_factory=list)
    unclosed: int | None = None
    lines_differ: bool = False

    @property
    def misfits(self) -> int:
        return self.ragged.count + self.quotes.count + self.blank.count

    def findings(self, shape: TableShape, file: str) -> list[Finding]:
        messages = (
            (
                "ENVELOPE-COLUMNS",
                self.ragged,
                words("records do not have the {width} fields of the header", width=self.width),
            ),
            ("ENVELOPE-QUOTES", self.quotes, words("records have quotes in the wrong place, or blanks beside them")),
            ("ENVELOPE-BLANK-LINE", self.blank, words("lines are blank")),
        )
        record_findings = [
            block(
                rule,
                words(
                    "{what}. Export the file again, with fields that hold a delimiter or a quote in quotes", what=text
                ),
                file,
                entity=shape.name,
                count=places.count,
                total=self.records,
                lines=tuple(places.first),
                lines_are="record" if self.lines_differ else "line",
            )
            for rule, places, text in messages
            if places.count
        ]
        if self.unclosed is not None:
            record_findings.append(
                block(
                    "ENVELOPE-QUOTES",
                    words(
                        "a quote opened in line {line:,} is never closed; the file may have been cut off",
                        line=self.unclosed,
                    ),
                    file,
                    entity=shape.name,
                )
            )
        return record_findings


def examine_records(path: Path, shape: TableShape, header: Header, good: Path | None = None) -> Structure:
    """Go through all records after the header.

    Args:
        good: where to write the records that fit, each with its record number as one more field in front and a newline
            at its end.
    """
    seen = Structure(width=len(shape.header))
    first = shape.format.skip_rows + (2 if shape.format.header else 1)
    with ExitStack() as stack:
        lines = stack.enter_context(closing(_Lines(path, header.end)))
        out = stack.enter_context(good.open("w", encoding="utf-8", newline="")) if good else None
        records = _records(lines, shape.format)
        while True:
            number, start = first + seen.records, lines.count
            lines.taken.clear()
            fits = _fits(records, number, shape, seen)
            if lines.ended:
                if lines.count > start:
                    seen.unclosed = shape.format.skip_rows + header.lines + start + 1
                return seen
            seen.records += 1
            seen.lines_differ = seen.lines_differ or lines.count - start > 1
            text = "".join(lines.taken)
            if fits and shape.format.quote and _is_loose(text, shape.format):
                seen.quotes.add(number)
                fits = False
            if not fits and len(seen.raw) < _KEPT_RAW:
                seen.raw.append((number, text))
            if out and fits:
                text = text.removesuffix("\n").removesuffix("\r")
                out.write(f"{number}{shape.format.delimiter}{text}\n")


def _fits(records: Iterator[list[str]], number: int, shape: TableShape, seen: Structure) -> bool:
    """Read one record and note what is wrong with it; at the end of the file nothing is noted."""
    trailing = shape.format.trailing_delimiter
    try:
        fields = next(records)
    except StopIteration:
        return False
    except csv.Error as error:
        if "unexpected end of data" not in str(error):
            seen.quotes.add(number)
        return False
    if not fields:
        seen.blank.add(number)
    elif len(fields) != len(shape.header) + trailing or (trailing and fields[-1]):
        seen.ragged.add(number)
    else:
        return True
    return False


def _is_loose(record: str, form: Format) -> bool:
    """Do blanks stand between a quote and the delimiter beside it? Readers differ on whether they are of the value."""
    parts = record.rstrip("\r\n").split(form.quote)  # those at even places stand outside quotes
    opened = False  # by a quote that begins a field
    for place in range(0, len(parts), 2):
        part = parts[place]
        if place and opened and part[:1] in (" ", "\t") and part.lstrip(" \t")[:1] in ("", form.delimiter):
            return True
        if part == "" and place:
            continue  # a doubled quote, or the end
        last = part.rsplit(form.delimiter, 1)[-1] if place == 0 or form.delimiter in part else part
        begins = not last.strip(" \t") and (place == 0 or form.delimiter in part)
        if begins and last and place + 1 < len(parts):
            return True
        opened = begins
    return False


def _records(lines: Iterator[str], form: Format) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)  # the envelope limits the length of lines
    if not form.quote:
        return csv.reader(lines, delimiter=form.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=form.delimiter, quotechar=form.quote, strict=True)


class _Lines(Iterator[str]):
    """Lines of a file from an offset on: counts them and keeps those of the record that is being read."""

    def __init__(self, path: Path, offset: int) -> None:
        self._file = path.open("rb")
        self._file.seek(offset)
        self.count = 0
        self.taken: list[str] = []
        self.ended = False

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            self.ended = True
            raise StopIteration
        self.count += 1
        self.taken.append(line.decode())
        return self.taken[-1]

    def close(self) -> None:
        self._file.close()
