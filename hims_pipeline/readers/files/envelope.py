"""The envelope of a delimited text file: looked at as bytes, before any row is read.

One pass over the bytes decodes them strictly, counts records independently of the engine that reads them later, and
finds the places where the file can be cut into parts. Not here: header names (`shape.py`), what a row holds.
"""

import codecs
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hims_pipeline.errors import DataError
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers.files.archives import Member
from hims_pipeline.readers.files.delimited_records import BOM, Header, read_header
from hims_pipeline.readers.files.encodings import (
    BLOCK,
    UTF8,
    check_letters,
    codec_of,
    make_too_long_error,
    mark_damage,
    transcode,
    wrong_bytes,
)
from hims_pipeline.readers.files.frame import cut_frame, ends_in_dos_mark, is_framed
from hims_pipeline.readers.files.headings import fit_names
from hims_pipeline.readers.files.signatures import NAMES, kind_of
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.words import our_text, words

# Two row groups of DuckDB: parts small enough to share between cores, and whole row groups in the Parquet file.
PART_RECORDS = 245_760
_REPLACEMENT = "\ufffd".encode()
_SHOWN_MARKS = 5
_BLANKS = (" ", "\t")
_OF_CHARACTERS = ("ENVELOPE-NUL", "ENVELOPE-REPLACEMENT", "ENVELOPE-BOM")


@dataclass
class Envelope:
    """What the pass over the bytes found.

    Args:
        shape: the entity's, as this file has it.
        path: the text in UTF-8, which is the file itself or a transcoded copy.
        records: lines of data, counted over the bytes; None where only a parser can count: a quoted field holds a
            newline, so that lines and records differ, or there are more delimiters than records of that width have.
        cuts: byte offsets of the parts: part i is [cuts[i], cuts[i + 1]), and all but the last have `part_records`.
        damage: what is wrong with single characters, where that is no matter as long as nobody reads them; each of
            them is U+FFFD in `path`.
        damaged: how many of them there are.
    """

    shape: TableShape
    path: Path
    header: Header | None = None
    records: int | None = None
    cuts: list[int] = field(default_factory=list)
    part_records: int = 0
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    damage: Finding | None = None
    damaged: int = 0


def check_text(shape: TableShape, member: Member, scratch: Path, keep_length: bool = False) -> Envelope:
    """Check the envelope of one file of delimited text; everything wrong with it is in `findings`.

    Args:
        keep_length: places of characters count, so letters and their accents are not put together when transcoded.
    """
    envelope = Envelope(shape, member.path, part_records=PART_RECORDS)
    try:
        codec = codec_of(shape.format.encoding)
        _check_kind(shape, member.path, codec)
        if codec != UTF8:
            envelope.path = scratch / f"{member.path.name}.utf8"
            transcode(
                member.path,
                codec,
                envelope.path,
                shape.limits.line_bytes,
                compose=not keep_length,
                tolerant=shape.format.tells_unread_damage,
            )
        check_letters(envelope.path, codec, member.path, any_letters=shape.format.any_letters)
        if is_framed(shape.format) or ends_in_dos_mark(envelope.path):
            envelope.path = cut_frame(envelope.path, shape.format, scratch / f"{member.path.name}.table")
        envelope.header = read_header(envelope.path, shape.format, shape.limits.line_bytes)
        envelope.shape, fit_findings = _fit(shape, envelope.header, member.shown)
        envelope.findings += [one for one in fit_findings if one.severity == "blocking"]
        envelope.warnings += [one for one in fit_findings if one.severity == "warning"]
        look = _look(envelope, scratch / f"{member.path.name}.marked")
        envelope.records, envelope.cuts = look.records, look.cuts
        envelope.findings += look.findings
    except DataError as error:
        envelope.findings.append(block(error.rule, error.message))
    envelope.findings = [replace(finding, file=member.shown, entity=shape.name) for finding in envelope.findings]
    return envelope


def _look(envelope: Envelope, marked: Path) -> "_Pass":
    """The pass over the bytes; where damage may stand in what nobody reads, over a copy in which it is marked."""
    assert envelope.header is not None
    look = _Pass(envelope.shape, envelope.header)
    if not envelope.shape.format.tells_unread_damage:
        look.run(envelope.path)
        return look
    try:
        look.run(envelope.path)
        character_findings = [finding for finding in look.findings if finding.rule in _OF_CHARACTERS]
    except DataError as error:
        if error.rule != "ENVELOPE-ENCODING":
            raise
        character_findings = [block(error.rule, error.message)]
    if not character_findings:
        return look
    envelope.path = mark_damage(envelope.path, marked)
    envelope.header = read_header(envelope.path, envelope.shape.format, envelope.shape.limits.line_bytes)
    look = _Pass(envelope.shape, envelope.header)
    look.run(envelope.path)
    look.findings = [finding for finding in look.findings if finding.rule not in _OF_CHARACTERS]
    envelope.damage, envelope.damaged = character_findings[0], look.replacements
    return look


def _check_kind(shape: TableShape, path: Path, codec: str) -> None:
    kind, wide = kind_of(path), codec.startswith(("utf-16", "utf-32"))
    if kind == "empty":
        raise DataError("ENVELOPE-EMPTY", words("the file is empty; send it again"))
    if kind == (codec[:6] if wide else "text"):
        return
    if wide and kind in ("text", "utf-16 unmarked"):
        message = words(
            "is declared {encoding} but has no byte order mark; send it with one, or in UTF-8", encoding=our_text(codec)
        )
        raise DataError("ENVELOPE-ENCODING", message)
    rule = "ENVELOPE-ENCODING" if kind.startswith("utf-") else "ENVELOPE-KIND"
    message = words(
        "is {kind}; plain text in {encoding} is expected",
        kind=our_text(NAMES[kind]),
        encoding=our_text(shape.format.encoding),
    )
    raise DataError(rule, message)


def _fit(shape: TableShape, header: Header, file: str) -> tuple[TableShape, list[Finding]]:
    """The shape as this header has it, and how it differs from the contract's."""
    if not shape.format.header:
        return shape, []
    names = header.names
    if not shape.format.trailing_delimiter:
        return fit_names(shape, names, file)
    if names and names[-1] == "":
        return fit_names(shape, names[:-1], file)
    message = words("the header does not end in one more delimiter, as the contract says (`trailing_delimiter`)")
    fitted, messages = fit_names(shape, names, file)
    return fitted, [block("ENVELOPE-HEADER", message), *messages]


class _Pass:
    """One pass over the bytes. Anything that makes the rest unreadable is raised as a `DataError`."""

    def __init__(self, shape: TableShape, header: Header) -> None:
        self.shape, self.header = shape, header
        self.quote = shape.format.quote.encode()
        self.above = shape.format.skip_rows  # lines of the file that are not in this text
        self.decoder = codecs.getincrementaldecoder(UTF8)("strict")
        self.pending = False  # a character is cut by a block's end
        self.done = self.lines = self.since_newline = 0
        self.returns = self.return_newlines = 0
        self.replacements = self.nuls = 0
        self.odd = 0  # 1 inside quotes
        self.delimiters = 0  # outside quotes
        self.loose = False  # a blank may stand between a quote and the delimiter beside it
        self.marks: list[int] = []  # lines of byte order marks behind the first character
        self.quoted_newline = False
        self.tail = b""
        self.cuts = [header.end]
        self.findings: list[Finding] = []

    @property
    def records(self) -> int | None:
        needs_parser = self.quoted_newline or self.loose or self._has_too_many_fields()
        return None if needs_parser else self.lines - self.header.lines

    def _has_too_many_fields(self) -> bool:
        """DuckDB reads a record with an empty field too many at its end as if it were not there."""
        form = self.shape.format
        width = len(self.header.names) or len(self.shape.header) + form.trailing_delimiter
        records = self.lines - self.header.lines + bool(form.header)
        return len(form.delimiter.encode()) == 1 and self.delimiters > records * (width - 1)

    def run(self, path: Path) -> None:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                self._block(block)
        self._end()

    def _block(self, block: bytes) -> None:
        self._decode(block)
        bytes_ = np.frombuffer(block, np.uint8)
        newlines = bytes_ == 10
        count = int(np.count_nonzero(newlines))
        self._check_length(block)
        self._count_quotes(block, bytes_, newlines)
        self._cut(newlines, count)
        if b"\r" in block:
            self.returns += block.count(b"\r")
            self.return_newlines += block.count(b"\r\n")
        self.return_newlines += self.tail[-1:] == b"\r" and block[:1] == b"\n"
        if b"\xef" in block or b"\xef" in self.tail:
            self.replacements += (self.tail + block).count(_REPLACEMENT)
            self._find_marks(block)
        if b"\0" in block:
            self.nuls += block.count(b"\0")
        self.lines += count
        self.done += len(block)
        self.tail = block[-2:]

    def _find_marks(self, block: bytes) -> None:
        """Note byte order marks within the text, where one file begins behind another."""
        joined, before = self.tail + block, self.done - len(self.tail)
        place = joined.find(BOM)
        while place >= 0 and len(self.marks) < _SHOWN_MARKS:
            if before + place:
                self.marks.append(self.above + self.lines + 1 + block.count(b"\n", 0, max(0, place - len(self.tail))))
            place = joined.find(BOM, place + 1)

    def _decode(self, block: bytes) -> None:
        if not self.pending and block.isascii():
            return
        try:
            self.decoder.decode(block)
        except UnicodeDecodeError as error:
            whole = error.object  # begins with what the last block left over
            before = self.done + len(block) - len(whole)
            line = self.above + self.lines + 1 + whole[: error.start].count(b"\n")
            raise wrong_bytes(whole, error, before, line) from None
        self.pending = bool(self.decoder.getstate()[0])

    def _check_length(self, block: bytes) -> None:
        limit = self.shape.limits.line_bytes
        first = block.find(b"\n")
        place = first + 1
        if self.since_newline + (len(block) if first < 0 else first) > limit:
            raise make_too_long_error(self.above + self.lines + 1, limit)
        if first < 0:
            self.since_newline += len(block)
            return
        while (last := block.rfind(b"\n", place, place + limit + 1)) >= 0:
            place = last + 1
        if len(block) - place > limit:
            raise make_too_long_error(self.above + self.lines + block.count(b"\n", 0, place) + 1, limit)
        self.since_newline = len(block) - place

    def _count_quotes(self, block: bytes, bytes_: np.ndarray, newlines: np.ndarray) -> None:
        if self.quoted_newline:
            return
        delimiters = bytes_ == self.shape.format.delimiter.encode()[0]
        if not self.quote or self.quote not in block:
            self.quoted_newline = bool(self.odd and newlines.any())
            self.delimiters += 0 if self.odd else int(np.count_nonzero(delimiters))
            return
        quotes = bytes_ == self.quote[0]
        inside = np.bitwise_xor.accumulate(quotes.view(np.uint8)) ^ self.odd
        self.loose = self.loose or self._has_blanks_beside(block, bytes_, quotes, inside)
        self.quoted_newline = bool((inside & newlines).any())
        self.odd = int(inside[-1])
        self.delimiters += int(np.count_nonzero(delimiters & (inside == 0)))

    def _has_blanks_beside(self, block: bytes, bytes_: np.ndarray, quotes: np.ndarray, inside: np.ndarray) -> bool:
        """May a blank outside of quotes stand beside one? Readers differ on whether it is of the value."""
        if self.shape.format.delimiter in _BLANKS:
            return False
        blanks = ((bytes_ == 32) | (bytes_ == 9)) & (inside == 0)
        before, first = self.tail[-1:], block[:1]
        at_edge = (bool(blanks[0]) and before == self.quote) or (
            before in (b" ", b"\t") and not self.odd and first == self.quote
        )
        return at_edge or bool((blanks[:-1] & quotes[1:]).any() or (blanks[1:] & quotes[:-1]).any())

    def _cut(self, newlines: np.ndarray, count: int) -> None:
        """Remember where each part ends: after its last record's newline."""
        target = self.header.lines + len(self.cuts) * PART_RECORDS
        places: np.ndarray | None = None
        while target <= self.lines + count:
            places = np.flatnonzero(newlines) if places is None else places
            self.cuts.append(self.done + int(places[target - self.lines - 1]) + 1)
            target += PART_RECORDS

    def _end(self) -> None:
        if self.quoted_newline:
            self.cuts = [self.header.end]
        if self.cuts[-1] < self.done:
            self.cuts.append(self.done)
        say = self.findings.append
        if self.pending or self.tail[-1:] not in (b"\n", b"\r"):
            say(
                block(
                    "ENVELOPE-TRUNCATED",
                    words(
                        "ends in the middle of a line, so it was probably cut off: send it again. "
                        "If it is complete, end its last line with a newline"
                    ),
                )
            )
        if self.nuls:
            message = words("has {count:,} NUL bytes; it is damaged or no text: send it again", count=self.nuls)
            say(block("ENVELOPE-NUL", message))
        if self.marks:
            message = words(
                "has a byte order mark within its text, in line {line:,}: files were probably joined. Send them one by "
                "one, or joined without it",
                line=self.marks[0],
            )
            say(block("ENVELOPE-BOM", message, lines=tuple(self.marks)))
        if self.replacements:
            say(
                block(
                    "ENVELOPE-REPLACEMENT",
                    words(
                        "has {count:,} replacement characters (U+FFFD): letters "
                        "were lost when it was converted. Export it again in UTF-8",
                        count=self.replacements,
                    ),
                )
            )
        lone = self.returns - self.return_newlines
        if lone and not self.lines:
            say(block("ENVELOPE-NEWLINES", words("its lines end in a carriage return alone; use newlines")))
        elif not self.quoted_newline and (lone or 0 < self.return_newlines < self.lines):
            say(
                block(
                    "ENVELOPE-NEWLINES",
                    words(
                        "its lines end in different ways ({pairs:,} of {lines:,} in "
                        "CR LF, {lone:,} lone CR); it was probably joined from several files",
                        pairs=self.return_newlines,
                        lines=self.lines,
                        lone=lone,
                    ),
                )
            )
