"""Which text may say anything: does a pattern keep names out? Looked for in how the pattern is built, since no list of
names is long enough. Not here: what follows for a column (`columns`, `model`).
"""

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import sre_parse  # what `re` itself reads patterns with; no other way tells how one is built

LONGEST_CODE = 3  # letters that may be any: codes of countries and currencies have three, most names have more
ALPHABETS = (
    ("abcdefghijklmnopqrstuvwxyz", 13),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 13),
    ("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", 13),
)
_MANY = 1_000_000


@lru_cache(maxsize=4096)
def admits_names(pattern: str) -> bool:
    """Can more letters stand in what the pattern matches, each of them any, than a code has?

    A class of characters counts where it holds half of an alphabet or more: hexadecimal digits name nobody.
    """
    try:
        return _letters(sre_parse.parse(pattern).data) > LONGEST_CODE
    except re.error:
        return True


def _letters(parsed: Iterable[Any]) -> int:
    """The largest number of free letters in what a part of a pattern matches."""
    return min(_MANY, sum(_count_kind(str(kind), value) for kind, value in parsed))


def _count_kind(kind: str, value: Any) -> int:
    if kind in ("ANY", "NOT_LITERAL"):
        return 1
    if kind == "IN":
        return int(_is_any_letter(value))
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        _, most, inner = value
        return _letters(inner) * min(int(most), _MANY)
    if kind == "BRANCH":
        return max(_letters(one) for one in value[1])
    if kind == "SUBPATTERN":
        return _letters(value[-1])
    if kind == "ATOMIC_GROUP":
        return _letters(value)
    return LONGEST_CODE + 1 if kind in ("GROUPREF", "GROUPREF_EXISTS") else 0


def _is_any_letter(members: list[tuple[Any, Any]]) -> bool:
    return any(sum(_holds(members, letter) for letter in letters) >= half for letters, half in ALPHABETS)


def _holds(members: list[tuple[Any, Any]], letter: str) -> bool:
    negated = str(members[0][0]) == "NEGATE"
    is_member = any(_is_in(str(kind), value, letter) for kind, value in members[negated:])
    return is_member is not negated


def _is_in(kind: str, value: Any, letter: str) -> bool:
    """A letter is a word's character, no digit and no blank."""
    if kind == "LITERAL":
        return bool(value == ord(letter))
    if kind == "RANGE":
        return bool(value[0] <= ord(letter) <= value[1])
    return str(value) in ("CATEGORY_WORD", "CATEGORY_NOT_DIGIT", "CATEGORY_NOT_SPACE")
