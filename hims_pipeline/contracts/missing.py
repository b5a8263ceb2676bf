"""One notion of "missing" for every type and format: what a column's contract says stands for no value, and why.

A code or a range is a value of the column's type and stays in the data as it was sent; `reason` tells in SQL why it
stands for none. What can be no value of the type (`*`, `..`, `a`) is a mark: `split_sql` turns it into NULL, and the
reason stands beside it in the column `<name>__missing`, flags of the cell in `<name>__flag`. Readers of all formats,
the gate and staging ask here. Not here: which value becomes what in a fact (`staging.models`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hims_pipeline.contracts.values import NUMERIC, Kind, Value, value_of, value_sql
from hims_pipeline.quoting import literal, literals

MISSING_SUFFIX, FLAG_SUFFIX = "__missing", "__flag"
_RANGE = re.compile(r"([^.].*?|)\.\.(.*)")
_LIKE_RANGE = re.compile(r"[0-9A-Z-]*[0-9][0-9A-Z-]*\.\.[0-9A-Z-]*|\.\.[0-9A-Z-]*[0-9][0-9A-Z-]*")
BLANKS = " \t\u00a0\u2007\u2009\u202f"  # no-break, figure, thin and narrow no-break spaces too


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high`, both included; open where one is None."""

    low: Value | None
    high: Value | None

    def holds(self, value: Value) -> bool:
        """Does a value lie in it?"""
        low, high = self.low, self.high
        return (low is None or low <= value) and (high is None or value <= high)  # type: ignore[operator]

    def condition(self, kind: Kind, name: str) -> str:
        bounds = [(">=", self.low), ("<=", self.high)]
        return " and ".join(f"{name} {sign} {value_sql(kind, bound)}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True)
class Missing:
    """What stands for no value in one column, each with its special code.

    Args:
        codes, ranges: values of the column's type.
        marks: texts that are no value of it.
        nulls: texts that are nothing at all: no value, and no reason either.
        flags: what may stand behind a value -> status codes, or a special code where there is then no value.
    """

    kind: Kind
    codes: dict[Value, str] = field(default_factory=dict)
    ranges: tuple[tuple[Range, str], ...] = ()
    marks: dict[str, str] = field(default_factory=dict)
    nulls: tuple[str, ...] = ("",)
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def has_reason(self) -> bool:
        """Does a column `<name>__missing` stand beside the value?"""
        return bool(self.marks) or any(to.startswith("_") for to in self.flags.values())

    @property
    def has_flag(self) -> bool:
        """Does a column `<name>__flag` stand beside the value?"""
        return bool(self.flags)

    @property
    def reasons(self) -> set[str]:
        """Special codes that a cell of the column may stand for."""
        flagged = {to for to in self.flags.values() if to.startswith("_")}
        return {*self.codes.values(), *(to for _, to in self.ranges), *self.marks.values(), *flagged}

    def condition(self, name: str) -> str:
        """SQL: the value `name` is a code for missing, or lies in such a range; empty where there is neither."""
        parts = [f"{name} in ({', '.join(value_sql(self.kind, code) for code in self.codes)})"] if self.codes else []
        return " or ".join([*parts, *(f"({one.condition(self.kind, name)})" for one, _ in self.ranges)])

    def reason(self, name: str, beside: str = "") -> str:
        """SQL: the special code that a cell stands for; NULL where it holds a value, or nothing at all.

        Args:
            beside: name of the column `<name>__missing`, for columns that have one.
        """
        whens = [f"when {name} = {value_sql(self.kind, code)} then {literal(to)}" for code, to in self.codes.items()]
        whens += [f"when {one.condition(self.kind, name)} then {literal(to)}" for one, to in self.ranges]
        whens += [f"when {name} is null then {beside}"] if beside and self.has_reason else []
        return f"case {' '.join(whens)} end" if whens else "cast(null as string)"


@dataclass(frozen=True)
class Split:
    """SQL of a sent text's three parts; `reason` and `flag` are empty where no column stands beside the value."""

    value: str
    reason: str = ""
    flag: str = ""


def missing_of(
    kind: Kind,
    missing: Mapping[Any, str],
    nulls: tuple[str, ...],
    flags: Mapping[str, str],
    scale: int = 0,
    date_format: str = "%Y-%m-%d",
    opaque: bool = False,
) -> Missing:
    """Sort what a contract lists under `missing` into codes, ranges and marks.

    Args:
        opaque: True for an identifier, whose stored form is no text that could be compared: all its codes are marks.

    Raises:
        ValueError: a range whose ends are no values, or stand the wrong way round, or in a column that has none.
    """
    codes: dict[Value, str] = {}
    ranges, marks = [], {}
    for key, to in missing.items():
        written = str(key)
        if (opaque or kind not in (*NUMERIC, "date")) and _LIKE_RANGE.fullmatch(written):
            raise ValueError(f"{written} is no range here: ranges go with numbers and dates; list the codes one by one")
        value = None if opaque else value_of(kind, written, scale, date_format)
        if value is not None:
            codes[value] = to
        elif not opaque and (span := _range(written, kind, scale, date_format)) is not None:
            ranges.append((span, to))
        else:
            marks[written] = to
    return Missing(kind, codes, tuple(ranges), marks, tuple(dict.fromkeys(("", *nulls))), dict(flags))


def _range(written: str, kind: Kind, scale: int, date_format: str) -> Range | None:
    """The range that `low..high` says; None for a text that is none."""
    parts = _RANGE.fullmatch(written) if kind in (*NUMERIC, "date") else None
    ends = [value_of(kind, end, scale, date_format) for end in parts.groups()] if parts else []
    if parts is None or ends == [None, None]:
        return None
    if [bool(end) for end in parts.groups()] != [end is not None for end in ends]:
        raise ValueError(f"the range {written} of missing values does not go from a value of type {kind} to another")
    low, high = ends
    if low is not None and high is not None and low > high:  # type: ignore[operator]
        raise ValueError(f"the range {written} of missing values ends before it begins")
    return Range(low, high)


def split_sql(missing: Missing, text: str, padding: bool) -> Split | None:
    """SQL that takes a sent text apart; None where the text is the value, NULL if it is empty.

    Args:
        text: SQL of the text, NULL where it was empty.
        padding: blanks around a text are no part of it.

    A flag that says there is no value leaves a text with a value as it was sent: it then is no value of its type.
    """
    if len(missing.nulls) == 1 and not missing.marks and not missing.flags:
        return None
    plain = f"trim({text}, {literal(BLANKS)})" if padding or missing.flags else text
    words = literals([*missing.nulls, *missing.marks])
    body, flagged, refusing = plain, "", ""
    if missing.flags:
        behind = f"case when {plain} in ({words}) then '' else regexp_extract({plain}, {_pattern_behind(missing)}) end"
        body = f"rtrim(left({plain}, length({plain}) - length({behind})), {literal(BLANKS)})"
        flagged = f"regexp_extract_all({behind}, {literal(_pattern(missing))})"
        refusing = _special(missing, flagged)
    kept = f"when {refusing} is not null then {text} " if refusing else ""
    value = f"case when {body} in ({words}) then null {kept}else {body} end"
    marked = " ".join(f"when {literal(mark)} then {literal(to)}" for mark, to in missing.marks.items())
    reasons = [one for one in (refusing, f"case {body} {marked} end" if marked else "") if one]
    return Split(value, f"coalesce({', '.join(reasons)})" if reasons else "", _statuses(missing, flagged))


def _pattern(missing: Missing) -> str:
    """Flags behind a value, several of them in one word; longer ones first, so that none hides another."""
    return "|".join(re.escape(flag) for flag in sorted(missing.flags, key=lambda flag: (-len(flag), flag)))


def _pattern_behind(missing: Missing) -> str:
    """SQL: the pattern of what stands behind a value, with the blanks around it."""
    return literal(f"([{BLANKS}]*({_pattern(missing)}))+$")


def _special(missing: Missing, flagged: str) -> str:
    """SQL: the special code that one of the flags stands for, NULL without one; empty where no flag stands for one."""
    special = {flag: to for flag, to in missing.flags.items() if to.startswith("_")}
    whens = " ".join(
        f"when list_contains({flagged}, {literal(flag)}) then {literal(to)}" for flag, to in special.items()
    )
    return f"case {whens} end" if whens else ""


def _statuses(missing: Missing, flagged: str) -> str:
    """SQL: the status codes of the flags in alphabetical order, joined by `;`; NULL without any."""
    if not missing.flags:
        return ""
    whens = " ".join(
        f"case when list_contains({flagged}, {literal(flag)}) then {literal(to)} end,"
        for flag, to in sorted(missing.flags.items(), key=lambda pair: (pair[1], pair[0]))
        if not to.startswith("_")
    )
    if not whens:
        return "cast(null as string)"
    return f"nullif(array_to_string(list_sort(list_distinct([{whens.rstrip(',')}])), ';'), '')"
