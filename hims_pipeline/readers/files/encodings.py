"""Encodings: strict decoding, and what a file that does not decode probably is.

Not here: lines, headers, records (`envelope.py`).
"""

import codecs
import re
import unicodedata
from pathlib import Path

from hims_pipeline.errors import DataError
from hims_pipeline.readers.files.alphabets import find_codec, is_utf8_read_as, rank_codecs, tokens_of
from hims_pipeline.words import Words, our_text, words

BLOCK = 4 << 20
UTF8 = "utf-8"
_ACCENTED = re.compile(r"[A-Za-z]*[^\W\d_A-Za-z][^\W\d_]*")  # words with a letter beyond ASCII
_WITHIN = re.compile(r"[^\W\d_][‚„†‡ˆ‰‹][^\W\d_]")  # what é, ä, ç, ê of code page 850 are in Windows-1252
_SAMPLE = 300_000  # bytes that are looked at: thousands of words in any language, in a tenth of a second
_MOST_GUESSES = 3
MISTAKEN = ("windows-1252", "windows-1250", "windows-1251", "windows-1256", "cp850", "cp437", "mac-roman")
"""What programs take text for that they know no encoding of; the first is the commonest."""
_BEYOND = re.compile(rb"[\x80-\xff]")
_LETTERS = re.compile(rb"[\xc2-\xf4]")  # the first byte of each letter beyond ASCII, in UTF-8
ENCODED_TWICE = words("letters were encoded in UTF-8 twice, so that é stands as Ã©. Export it again, in UTF-8 once")
# A letter that was encoded twice: `Ã©`, of which either half is a letter in UTF-8.
_TWICE = re.compile(
    rb"\xc3[\x82-\x85\x8e-\x91\x98\x99]"
    rb"(?:\xc2[\x80-\xbf]|\xe2[\x80-\x84][\x80-\xbf]|\xc5[\x92\x93\xa0\xa1\xb8\xbd\xbe]|\xc6\x92|\xcb[\x86\x9c])"
)


def codec_of(encoding: str) -> str:
    """The codec's own name for a declared encoding."""
    name = codecs.lookup(encoding).name  # the contract does not load with an unknown one
    return UTF8 if name == "utf-8-sig" else name


def wrong_bytes(block: bytes, error: UnicodeDecodeError, offset: int, line: int) -> DataError:
    """What to say about bytes that are no UTF-8, with a guess at what they are.

    Args:
        block: the bytes that were decoded; `offset` is the place of its first byte in the file, from 0.
        line: the line that the wrong byte stands in, from 1.
    """
    return DataError(
        "ENVELOPE-ENCODING",
        words(
            "is declared utf-8 but is not: byte {place:,}, in line {line:,}, cannot be decoded; {guess}. "
            "Send it in UTF-8, or change `format.encoding` in the contract",
            place=offset + error.start,
            line=line,
            guess=our_text(_guess(block)),
        ),
    )


def _guess(block: bytes) -> str:
    if likely := guess_codecs(block):
        return f"it looks like {likely[0]}" + (f" (or {', '.join(likely[1:])})" if likely[1:] else "")
    return (
        "most of it is UTF-8, so single characters were damaged or two files were joined"
        if is_mostly_utf8(block)
        else "its encoding is not clear"
    )


def guess_codecs(block: bytes) -> list[str]:
    """The one-byte encodings that some text which is not UTF-8 may have, the likeliest first; several where they make
    words of it alike, and none where nothing does."""
    if block.isascii() or is_mostly_utf8(block):
        return []
    first = _BEYOND.search(block)
    near = block[first.start() if first else 0 :][:_SAMPLE]
    return [
        codec
        for codec in rank_codecs(near)[:_MOST_GUESSES]
        if not is_misread(*count_words(near.decode(codec, errors="replace")))
    ]


def is_mostly_utf8(block: bytes) -> bool:
    """Do more than half of the bytes beyond ASCII decode as UTF-8?"""
    high = sum(byte > 127 for byte in block)
    return len(block.decode(errors="ignore").encode()) > len(block) - high / 2


def count_words(text: str) -> tuple[int, int]:
    """Words with letters beyond ASCII: those that no language has, and the others that tell something.

    Read in a wrong encoding, Arabic words become accents alone, and accents in French words letters of another script.
    """
    strange, sound = len(_WITHIN.findall(text)), 0
    for word in _ACCENTED.findall(text):
        kinds = {_kind_of_letter(letter) for letter in word}
        if ("other" in kinds and kinds & {"plain", "accented"}) or (kinds == {"accented"} and len(word) > 2):
            strange += 1
        elif kinds != {"accented"}:
            sound += 1
    return strange, sound


def _kind_of_letter(letter: str) -> str:
    """`plain`, `accented` (of Latin too), `wide` (of East Asia, beside which plain letters stand) or `other`."""
    if letter < "\u0250":
        return "plain" if letter < "\x80" else "accented"
    return "other" if letter < "\u1e00" else "accented" if letter < "\u1f00" else "wide"


def is_misread(strange: int, sound: int) -> bool:
    """Do so many words look strange that the text was decoded wrongly? In a right one hardly any does, and one alone
    tells nothing."""
    return 10 * (strange - 1) > strange + sound


def transcode(
    path: Path, codec: str, target: Path, line_bytes: int, compose: bool = True, tolerant: bool = False
) -> None:
    """Write a file anew in UTF-8, block by block, and in Unicode form NFC where `compose`.

    Args:
        tolerant: bytes that a one-byte encoding lacks become U+FFFD.

    Raises:
        DataError: a byte does not decode, the file is UTF-8 in truth, control characters show another encoding, or a
            line has more than `line_bytes` characters.
    """
    wide = codec.startswith("utf")  # only one-byte encodings can be mistaken for each other
    decoder = codecs.getincrementaldecoder(codec)("replace" if tolerant and not wide else "strict")
    utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder(UTF8)("strict")
    high = False
    done = lines = 0
    kept = ""
    with path.open("rb") as source, target.open("w", encoding=UTF8, newline="") as out:
        while True:
            block = source.read(BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line = lines + 1 + block[: error.start].count(b"\n")
                raise _undecodable(codec, block, done + error.start, line) from None
            if not wide and not text.isascii() and (controls := sum("\x80" <= letter <= "\x9f" for letter in text)):
                raise _control_characters(codec, block, controls)
            utf8 = None if wide else _continue_utf8(utf8, block)
            high = high or not block.isascii()
            # Cut at a line's end: a letter and its accent must not fall into two blocks.
            text = kept + text
            cut = text.rfind("\n") + 1 if block else len(text)
            out.write(unicodedata.normalize("NFC", text[:cut]) if compose else text[:cut])
            kept = text[cut:]
            if len(kept) > line_bytes:
                raise make_too_long_error(lines + 1, line_bytes)
            done, lines = done + len(block), lines + block.count(b"\n")
            if not block:
                break
    if utf8 is not None and high:
        raise DataError(
            "ENVELOPE-ENCODING",
            words("is declared {codec} but is UTF-8; correct `format.encoding` in the contract", codec=our_text(codec)),
        )


def check_letters(path: Path, codec: str, sent: Path, *, any_letters: bool = False) -> None:
    """Look at the words of a text in UTF-8, from its first letter beyond ASCII on, for what no language has.

    Args:
        codec: what it was read as.
        sent: the file as it was sent.
        any_letters: words of no language are what was meant; only what was encoded twice is looked for.

    Raises:
        DataError: too many of them are strange, so it is in another encoding, or was encoded twice.
    """
    with path.open("rb") as file:
        head = file.read(BLOCK)
    if not (first := _BEYOND.search(head)):
        return
    head = head[max(0, first.start() - 100) : first.start() + _SAMPLE]
    text = head.decode(errors="ignore")
    if is_misread(len(_TWICE.findall(head)), len(_LETTERS.findall(head)) // 2):
        raise DataError("ENVELOPE-ENCODING", ENCODED_TWICE)
    if any_letters:
        return
    if codec.startswith("utf"):
        if message := describe_misread(text):
            raise DataError("ENVELOPE-ENCODING", message)
        return
    strange, sound = count_words(text)
    other = find_codec(tokens_of(text), codec)
    if not other and not is_misread(strange, sound):
        return
    with sent.open("rb") as file:
        block = file.read(BLOCK)
    raise DataError(
        "ENVELOPE-ENCODING",
        words(
            "read as {codec}, words with letters beyond ASCII are words of no language; {guess}. Send it in UTF-8, or "
            "change `format.encoding` in the contract; where they are right, say `any_letters: true` in `format`",
            codec=our_text(codec),
            guess=our_text(f"it looks like {other}" if other else _guess(block)),
        ),
    )


def describe_misread(text: str) -> Words | None:
    """What to say of a text in Unicode whose letters another program read wrongly before; None where none seem so."""
    tokens = tokens_of(text)
    if any(is_utf8_read_as(tokens, codec) for codec in MISTAKEN):
        return ENCODED_TWICE
    if other := find_codec(tokens, MISTAKEN[0]):
        return words(
            "letters are wrong, as where text in {other} was read as {codec} before it was saved. Export it again from "
            "where it was right, in UTF-8; if it is right here, say `any_letters: true` in the contract's `format`",
            other=our_text(other),
            codec=our_text(MISTAKEN[0]),
        )
    return None


def mark_damage(path: Path, target: Path) -> Path:
    """Copy a text in UTF-8 to `target`, U+FFFD in place of bytes that do not decode, of NUL and of byte order marks
    but the first, and return it."""
    decoder = codecs.getincrementaldecoder(UTF8)("replace")
    with path.open("rb") as source, target.open("w", encoding=UTF8, newline="") as out:
        out.write(decoder.decode(source.read(3)))
        while block := source.read(BLOCK):
            out.write(decoder.decode(block).replace("\0", "\ufffd").replace("\ufeff", "\ufffd"))
        out.write(decoder.decode(b"", final=True))
    return target


def make_too_long_error(line: int, line_bytes: int) -> DataError:
    """The error of a line that is longer than the contract allows, in bytes."""
    return DataError(
        "ENVELOPE-LINE-LENGTH",
        words(
            "line {line:,} is longer than the {limit:,} bytes that the contract allows; is the delimiter or the "
            "newline another one, or a quote never closed?",
            line=line,
            limit=line_bytes,
        ),
    )


def _undecodable(codec: str, block: bytes, offset: int, line: int) -> DataError:
    return DataError(
        "ENVELOPE-ENCODING",
        words(
            "is declared {codec}, but byte {offset:,}, in line {line:,}, does not exist there; {guess}. "
            "Send it in UTF-8, or change `format.encoding` in the contract",
            codec=our_text(codec),
            guess=our_text(_guess(block)),
            offset=offset,
            line=line,
        ),
    )


def _control_characters(codec: str, block: bytes, count: int) -> DataError:
    return DataError(
        "ENVELOPE-ENCODING",
        words(
            "is declared {codec}, but {count:,} bytes in it are control characters there; {guess}. "
            "Send it in UTF-8, or change `format.encoding` in the contract",
            codec=our_text(codec),
            count=count,
            guess=our_text(_guess(block)),
        ),
    )


def _continue_utf8(decoder: codecs.IncrementalDecoder | None, block: bytes) -> codecs.IncrementalDecoder | None:
    if decoder is None:
        return None
    try:
        decoder.decode(block, final=not block)
    except UnicodeDecodeError:
        return None
    return decoder
