"""Lines whose fields stand at fixed places: from a file and the places to a table of texts.

Places count characters, not bytes, so a one-byte encoding is decoded first. Each line is checked for its length before
a field is cut out of it. Blanks that pad a field are no part of its value. Not here: where the places come from
(`fixed_width`, `cspro`).
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hims_pipeline.contracts.columns import OF_NUMBERS, Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.delimited_records import Structure
from hims_pipeline.readers.files.encodings import BLOCK
from hims_pipeline.readers.files.envelope import PART_RECORDS, Envelope, check_text
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.formats.codebook import Place
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.lexical import MISFIT
from hims_pipeline.readers.typing.parts import NO_TEXTS, RECORD, Slices, TextPart, null_texts, open_for_parts
from hims_pipeline.readers.typing.spelling import plain_number
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal
from hims_pipeline.words import words

_SHOWN, _KEPT_RAW = 5, 10_000
_SEPARATOR = "\x01"  # never in a line: control characters are refused before
_CONTROL = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x1f\x7f]")
_NUMERIC = ("integer", "decimal", "number")


@dataclass(frozen=True)
class Cut:
    """How lines are cut.

    Args:
        places: of the shape's columns, in their order.
        length: characters of a whole line.
        chosen: SQL condition over the line `l`; other lines belong to other records. Empty where all are of one kind.
        least: where blanks at a line's end are cut off: characters that a line has at least. None where each line must
            have `length`.
        solid: first and last characters of fields that such a cut must not fall into, since digits would be lost.
    """

    places: tuple[Place, ...]
    length: int
    chosen: str = ""
    least: int | None = None
    solid: tuple[tuple[int, int], ...] = ()

    def fits(self) -> str:
        """SQL: the line `l` has the length that it must have."""
        if self.least is None:
            return f"coalesce(length(l), 0) = {self.length}"
        torn = [f"length(l) between {first} and {last - 1}" for first, last in self.solid if last > first]
        short = " or ".join([f"length(l) < {self.least}", *torn])
        return (
            f"(l is not null and (length(l) = {self.length} or case when length(l) > {self.length} "
            f"then trim(substr(l, {self.length + 1})) = '' else not ({short}) end))"
        )


@dataclass
class Lines(Structure):
    """What is wrong with the lengths of lines; `length` is the one they should have, `most` the commonest of others."""

    length: int = 0
    most: int | None = None

    def findings(self, shape: TableShape, file: str) -> list[Finding]:
        length = words(
            "lines do not have the {length:,} characters that the places of the columns ask for (most of these "
            "have {most}): they were cut, or the places are those of another file. Send data and codebook that "
            "go together",
            length=self.length,
            most=self.most or 0,
        )
        messages = (
            ("ENVELOPE-LINE-LENGTH", self.ragged, length),
            ("ENVELOPE-BLANK-LINE", self.blank, words("lines are blank. Remove them")),
        )
        return [
            block(
                rule,
                text,
                file,
                entity=shape.name,
                count=places.count,
                total=self.records,
                lines=tuple(places.first),
            )
            for rule, places, text in messages
            if places.count
        ]


@dataclass
class OpenedLines:
    """A text whose envelope holds: its bytes in UTF-8, its parts as slices, and their first line numbers."""

    envelope: Envelope
    slices: Slices = field(default_factory=Slices)
    sources: list[tuple[str, int]] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        return self.envelope.findings

    def lines(self, number: int) -> str:
        """SQL: the lines `l` of one part with their numbers in the file, from 1."""
        source, before = self.sources[number]
        return f"(select l, row_number() over () + {before} as {RECORD} from {source})"


def open_lines(shape: TableShape, member: Member, scratch: Path) -> OpenedLines:
    """Check the envelope of a text without header or delimiter; what is wrong is in `findings`."""
    form = shape.format
    plain = Format(
        encoding=form.encoding,
        header=False,
        delimiter=_SEPARATOR,
        quote="",
        final_newline=form.final_newline,
        unread_damage="tell" if form.tells_unread_damage else "refuse",
    )
    envelope = check_text(replace(shape, format=plain), member, scratch, keep_length=True)
    opened = OpenedLines(envelope)
    if envelope.findings:
        return opened
    if (line := _control_character(envelope.path)) is not None:
        message = words(
            "line {line:,} holds a tab or another control character, which shifts places; use blanks", line=line
        )
        envelope.findings.append(block("ENVELOPE-CONTROL", message, member.shown, entity=shape.name))
    size = max(shape.limits.line_bytes, 1000)
    for index, (start, end) in enumerate(itertools.pairwise(envelope.cuts)):
        name = opened.slices.add(envelope.path, start, end)
        source = (
            f"read_csv({literal(name)}, columns = {{'l': 'VARCHAR'}}, auto_detect = false, header = false, "
            f"delim = '{_SEPARATOR}', quote = '', escape = '', strict_mode = true, ignore_errors = false, "
            f"null_padding = false, max_line_size = {size})"
        )
        opened.sources.append((source, index * PART_RECORDS))
    return opened


def _control_character(path: Path) -> int | None:
    """The first line with a control character; None where there is none."""
    lines = 1
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if match := _CONTROL.search(block):
                return lines + block.count(b"\n", 0, match.start())
            lines += block.count(b"\n")
    return None


def table_of(settings: Settings, shape: TableShape, opened: OpenedLines, cut: Cut, records: int) -> Table:
    """The table of the chosen lines; `records` is how many there are, counted otherwise."""
    values = [_value(*pair, shape.format) for pair in zip(cut.places, shape.columns, strict=True)]
    texts = ", ".join(f"{value} as t{number}" for number, value in enumerate(values)) or NO_TEXTS
    chosen = cut.chosen or "true"

    def parts(condition: str) -> list[TextPart]:
        return [
            TextPart(f"select {texts}, {RECORD} from {opened.lines(n)} where {chosen} and {condition}", RECORD)
            for n in range(len(opened.sources))
        ]

    strict = parts(f"case when {cut.fits()} then true else error({literal(MISFIT)})::boolean end")
    look = partial(_examine, settings, opened, cut, parts(cut.fits()), records)
    return Table(strict, records, opened.slices, lambda scratch: look())


def _examine(
    settings: Settings, opened: OpenedLines, cut: Cut, good: list[TextPart], records: int
) -> tuple[Structure, list[TextPart]]:
    """Find the lines that have not the right length."""
    seen = Lines(records=records, length=cut.length)
    lengths: dict[int, int] = {}
    wrong = f"where {cut.chosen or 'true'} and not {cut.fits()}"
    with open_for_parts(settings, opened.slices) as con:
        for number in range(len(opened.sources)):
            lines = opened.lines(number)
            for length, count, first in con.execute(
                f"select coalesce(length(l), 0) as n, count(*), min({RECORD}, {_SHOWN}) from {lines} {wrong} group by n"
            ).fetchall():
                places = seen.blank if length == 0 else seen.ragged
                places.count += count
                places.first = sorted([*places.first, *first])[:_SHOWN]
                if length:
                    lengths[length] = lengths.get(length, 0) + count
            room = _KEPT_RAW - len(seen.raw)
            seen.raw += con.execute(
                f"select {RECORD}, coalesce(l, '') from {lines} {wrong} order by 1 limit {room}"
            ).fetchall()
    seen.most = max(lengths, key=lambda length: lengths[length], default=None)
    return seen, good


def _value(place: Place, column: Column, form: Format) -> str:
    """SQL: the text of a field without its padding, a point put in where it is implied."""
    raw = f"substr(l, {place.start}, {place.width})"
    number = column.type in _NUMERIC
    numeric = place.numeric if place.numeric is not None else column.type != "text"
    text = f"trim({raw})" if numeric else f"rtrim({raw})"
    if number and set(column.allow) & set(OF_NUMBERS):
        text = plain_number(column, text, form)  # before a point is put in, or it would be left out
    if place.zero_fill and number:
        text = f"regexp_replace({text}, '^(-?)0+([0-9]+([.,][0-9]+)?)$', '\\1\\2')"
    if place.decimals and number:
        text = insert_point(text, place.decimals, form.decimal)
    return f"case when {text} in ({null_texts()}) then null else {text} end"


def insert_point(text: str, decimals: int, mark: str) -> str:
    """SQL: digits with the decimal mark put in front of the last so many; what holds a mark already stays as it is."""
    digits = f"ltrim({text}, '-0')"
    whole = f"lpad({digits}, greatest({decimals + 1}, length({digits}))::int, '0')"
    sign = f"case when {text} like '-%' then '-' else '' end"
    marked = f"{sign} || left({whole}, -{decimals}) || {literal(mark)} || right({whole}, {decimals})"
    return f"case when regexp_full_match({text}, '-?[0-9]+') then {marked} else {text} end"


def find_overlap(places: Sequence[Place]) -> tuple[Place, Place] | None:
    """Two fields that share a character, if any do."""
    ordered = sorted(places, key=lambda place: (place.start, place.end))
    return next(((a, b) for a, b in itertools.pairwise(ordered) if b.start <= a.end), None)
