"""What is found out about one unknown column, and which type its texts fit: the plainest first, found with the checks
that a delivery would meet."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from hims_pipeline.contracts.columns import OF_NUMBERS, Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.readers.typing.fitting import count_misfits, find_fitting_words

_DATES = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%d-%b-%Y", "%d %b %Y",
)  # fmt: skip
_PLAIN: list[dict[str, object]] = [
    {"type": "integer"},
    {"type": "integer", "allow": ("zero_fraction",)},
    {"type": "integer", "allow": ("padding",)},
]
_FRACTIONS: list[dict[str, object]] = [{"type": "decimal", "scale": scale} for scale in (2, 4, 6)]
_NUMBER: dict[str, object] = {"type": "number"}
_DAYS: list[dict[str, object]] = [{"type": "date", "date_format": form} for form in _DATES]
# Tried in this order; the first that every value fits is proposed. Text, which anything fits, is what remains.
_CANDIDATES: list[dict[str, object]] = [*_PLAIN, *_FRACTIONS, _NUMBER, {"type": "boolean"}, *_DAYS]
_NUMBERS = [_PLAIN[0], *_FRACTIONS, _NUMBER]
_WORDS = ("padding", *OF_NUMBERS)  # of `allow`, tried where nothing plain fits
# Names that suggest persons, in the languages of the region; a person decides.
_FREE_TEXT = re.compile(
    r"(^|_)(nom|prenom|((first|middle|last|family|sur|full)_?)name|adresse|address|street|phone|tel|e?mail)($|_)", re.I
)
_NAME = re.compile(r"(^|_)name($|_)", re.I)  # of a person, or of a country: then few are different


@dataclass
class Facts:
    """One column: what type fits, how many values, how many different, the codes where they are few, words that are
    nothing, marks that stand for missing, flags behind values, how many whole numbers have no label in a codebook, and
    whether dates fit with day and month exchanged too."""

    name: str
    kind: dict[str, object] = field(default_factory=lambda: {"type": "text"})
    filled: int = 0
    distinct: int = 0
    codes: list[str] | None = None
    words: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)
    unlabelled: int = 0
    fits_both_orders: bool = False

    @property
    def is_free_text(self) -> bool:
        """Its name suggests names or addresses of persons."""
        named = _FREE_TEXT.search(self.name) or (3 * self.distinct > self.filled and _NAME.search(self.name))
        return self.kind["type"] == "text" and bool(named)


def find_kind(
    con: duckdb.DuckDBPyConnection, form: Format, is_numeric: bool, more: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The first type that all texts of the table `one` fit, as it is or with spellings that a contract may allow.

    Args:
        is_numeric: zeros in front mean nothing, by a codebook.
        more: the column's flags, and what is nothing beside them.
    """
    digits = "select count(*) filter (regexp_full_match(t0, '-?[0-9]{16,}')) from one"
    long = bool(con.execute(digits).fetchall()[0][0])  # a binary number keeps fifteen digits: these may be identifiers
    for candidate in _CANDIDATES:
        if (long and candidate["type"] == "number") or (more and candidate["type"] == "boolean"):
            continue  # flags stand behind no truth value
        if count_misfits(con, Column.model_validate({"name": "x", **(more or {}), **candidate}), form, "one") == 0:
            return dict(candidate)
    for candidate in _NUMBERS if not long else ():
        column = Column.model_validate({"name": "x", **(more or {}), **candidate})
        needed, _ = find_fitting_words(con, column, form, "one", [*_WORDS, *(["leading_zeros"] * is_numeric)])
        if count_misfits(con, column.model_copy(update={"allow": tuple(needed)}), form, "one") == 0:
            return {**candidate, "allow": tuple(needed)}
    return {"type": "text"}


def has_both_orders(con: duckdb.DuckDBPyConnection, form: Format, kind: Mapping[str, object]) -> bool:
    """Do all texts of the table `one` fit a date whose day and month change places, too?"""
    written = str(kind.get("date_format", ""))
    other = {"%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y", "%d.%m.%Y": "%m.%d.%Y"}.get(written)
    return other is not None and count_misfits(con, Column(name="x", type="date", date_format=other), form, "one") == 0


def begins_with_row(con: duckdb.DuckDBPyConnection, form: Format, columns: Sequence[Facts]) -> bool:
    """Is the header a row? Then the name of every column of numbers or dates is one itself. Years, and numbers in even
    steps such as ages or months, are headings."""
    if len(columns) == 1 and re.fullmatch("[0-9 ]{5,}", columns[0].name):  # places in a line
        return True
    names = []
    for facts in columns:
        if facts.kind["type"] not in ("text", "boolean"):
            con.execute("create or replace temp table one as select ? as t0, 1 as n", [facts.name])
            if count_misfits(con, Column.model_validate({"name": "x", **facts.kind}), form, "one"):
                return False
            names.append(facts.name)
    if not names or not all(re.fullmatch("[0-9]{1,4}", name) for name in names):
        return bool(names)
    numbers = [int(name) for name in names]
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    return not (all(1900 <= one <= 2100 for one in numbers) or (len(steps) <= 1 and steps < set(range(1, 11))))
