"""Texts with two readings: one for everybody, and one for the closed zone, with the words that a sender wrote.

Names of files, sheets, headings, variables and codes come from outside and may name a person. So a message is put
together from a template of ours and named parts, each of which says whose words it is: `our_text` for ours and the
contract's, `senders_text` for a sender's. As text (printed, logged, formatted, written as JSON, copied) it is the outer
reading; only `inner_text` gives the other. Here, too: how text that our own people typed is made fit to be shown.
"""

import re
import string
from collections.abc import Iterable
from typing import Any

KEPT = "‹kept in the closed zone›"
UNSAID = f"what is wrong {KEPT}: its wording may hold words of the sender"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#!|~&])")


class Words(str):
    """A text whose own value is the outer reading; `inner` holds the other. Copies and pickles are the outer alone."""

    inner: str

    def __new__(cls, outer: str, inner: str) -> "Words":
        made = super().__new__(cls, outer)
        made.inner = inner
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


class _Own(str):
    """Words of ours or of the contract, which may be shown anywhere."""


def our_text(text: object) -> _Own:
    """Mark a part of a message as ours: a name in the contract, a constant of ours."""
    return _Own(text)


def senders_text(text: str, outer: str = KEPT) -> Words:
    """A sender's words, and what stands for them outside the closed zone: an ordinal (`column 12`) or a count."""
    return Words(outer, printable(text))


def inner_text(text: str) -> str:
    """The reading for the closed zone; of a text without two readings, the text."""
    return text.inner if isinstance(text, Words) else text


def words(template: str, **parts: int | float | Words | _Own) -> Words:
    """A message from a template of ours, in `str.format` style, and parts that say whose words they are.

    Raises:
        TypeError: a part is plain text: say whether it is `our_text` or `senders_text`.
    """
    for name, part in parts.items():
        if not isinstance(part, int | float | Words | _Own):
            raise TypeError(
                f"{name!r} of a message is {type(part).__name__}: say whether it is `our_text` or `senders_text`"
            )
    inside = {name: inner_text(part) if isinstance(part, str) else part for name, part in parts.items()}
    form = string.Formatter()
    return Words(form.vformat(template, (), parts), form.vformat(template, (), inside))


def join_words(parts: Iterable[Words | _Own], by: str = ", ") -> Words:
    """Parts in a row."""
    parts = list(parts)
    return Words(by.join(parts), by.join(inner_text(part) for part in parts))


def as_message(text: str) -> Words:
    """A message as it is; plain text, whose words nobody vouches for, stays inside as a whole."""
    return text if isinstance(text, Words) else Words(UNSAID, text)


def printable(text: str) -> str:
    """Text on one line, without characters that steer a terminal or turn the direction of writing."""
    return _CONTROLS.sub(" ", text)


def markdown(text: str) -> str:
    """Text that says in Markdown (and in the HTML made of it) what it says here, and does nothing else."""
    plain = _MARKDOWN.sub(r"\\\1", printable(text))
    for mark, instead in (("\\<", "&lt;"), ("\\>", "&gt;"), ("\\&", "&amp;"), ("://", ":\\//"), ("www.", "www\\.")):
        plain = plain.replace(mark, instead)  # the last two: addresses become links by themselves
    return plain
