"""Which mutants nobody can tell from a good delivery, and why. A column that goes with no other may be shuffled or slip
by a row: the file is itself under another name. Events that are missing by chance are a smaller flow, as honest years
have it; and as few women as in another good quarter are no fault.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from random import Random

import numpy as np
import pandas

from hims_pipeline.gates.ties import IntArray
from tests.mutants.honest import trend_of_2020
from tests.mutants.sheets import Sheet

SURE = 4.0  # standard deviations of what 60 shuffles make: one in 30,000 independent columns is beyond
SHUFFLES = 60
MOST_GROUPS = 30  # the most frequent values; all others are one group
MOVED = (
    "column_shuffled", "column_slipped", "codes_by_chance", "sexes_exchanged", "sexes_exchanged_in_one_area",
    "sexes_exchanged_in_half",
)  # fmt: skip
CHANCE = 1.5  # square roots of n, between men and women: three standard deviations
SHARES = ("sexes_mostly_of_men",)
FREE = ("key", "identifier", "period")  # of each row its own, or the same in all


def find_tie(clean: Sheet, name: str) -> str | None:
    """The column that goes most closely with one, by chi-square against shuffles; None where all are independent."""
    dice = np.random.default_rng(Random(f"{clean.contract.source} {name}").getrandbits(32))  # noqa: S311
    own, best = _groups(clean, name), (SURE, "")
    for other, role in clean.roles.of.items():
        if other == name or role in FREE:
            continue
        theirs = _groups(clean, other)
        both = (own >= 0) & (theirs >= 0)
        if both.sum() < 2:
            continue
        left, right = own[both], theirs[both]
        chance = [_chi_square(dice.permutation(left), right) for _ in range(SHUFFLES)]
        spread = float(np.std(chance))
        if spread > 0:
            best = max(best, ((_chi_square(left, right) - float(np.mean(chance))) / spread, other))
    return best[1] or None


def tell_equivalent(clean: Sheet, changed: Sheet) -> str:
    """Why a table with one column moved differs in nothing from the clean one; empty where it does."""
    name = _moved_column(clean, changed)
    if clean.roles.of[name] == "sex":
        return _tell_even(clean, changed, name)
    if find_tie(clean, name) is not None:
        return ""
    return f"{name} goes with no other column of the clean file, so its values may stand in any order"


def tell_unseen(name: str, clean: Sheet, changed: Sheet, periods: Sequence[Sheet]) -> str:
    """Why a mutant cannot be told from what honest deliveries of the source look like; empty where it can.

    Args:
        periods: the same entity in all clean deliveries of the source.
    """
    numbered = any(
        clean.column(key).type == "integer" for key in clean.contract.entity_in(clean.name, clean.period).key
    )
    if name == "fifth_missing" and not numbered and trend_of_2020(clean.copy(), Random(1)):  # noqa: S311
        return "a fifth fewer events, by chance, is a smaller flow: the honest fall of 2020 is larger"
    if name in SHARES:
        rarest = _share_of_women(changed)
        alike = [one for one in periods if 2 * len(one.rows) > len(changed.rows)]
        like = [one.period for one in alike if _share_of_women(one) <= rarest]
        return f"as few women as in the good delivery of {like[0]}" if like else ""
    return ""


def _share_of_women(sheet: Sheet) -> float:
    name = sheet.roles.first_column("sex") or ""
    women = sheet.roles.codes.get(name, {}).get("F", ())
    told = [row[name] in women for row in sheet.rows if row.get(name)]
    return sum(told) / len(told) if women and told else 1.0


def _tell_even(clean: Sheet, changed: Sheet, name: str) -> str:
    """Exchanged sexes leave no trace where there are as many of each, in every group."""
    pairs = zip(clean.rows, changed.rows, strict=True)
    touched = replace(clean, rows=[row for row, after in pairs if row[name] != after[name]])
    first = touched.rows[0][name]
    firsts = sum(row[name] == first for row in touched.rows)
    even = abs(2 * firsts - len(touched.rows)) < CHANCE * sqrt(len(touched.rows))
    if not even or find_tie(touched, name) is not None:
        return ""
    return f"{name}: men and women are as many as each other, but for chance, and go with no other column"


def _moved_column(clean: Sheet, changed: Sheet) -> str:
    """The one column in which two tables of as many rows differ."""
    return next(n for n in clean.roles.of if any(a[n] != b[n] for a, b in zip(clean.rows, changed.rows, strict=True)))


def _groups(sheet: Sheet, name: str) -> IntArray:
    """Each row's value as a whole number, -1 for none: ages and births by fives, dates by quarters of a year, amounts
    by tenths of their order, codes as they are."""
    role = sheet.roles.of[name]
    values: list[object]
    if role in ("age", "birth_year", "birth_date"):
        values = [_fives(sheet, row, name, role) for row in sheet.rows]
    elif role == "date":
        days = [sheet.day(row, name) for row in sheet.rows]
        values = [None if day is None else day.year * 4 + (day.month - 1) // 3 for day in days]
    elif role in ("amount", "weight"):
        numbers = pandas.Series([sheet.number(row, name) for row in sheet.rows], dtype=float)
        values = (numbers.rank(pct=True) * 9.999 // 1).tolist()
    else:
        values = [row[name] or None for row in sheet.rows]
    series = pandas.Series(values, dtype=object)
    series = series.where(pandas.notna(series), None)
    common = series.value_counts().index[:MOST_GROUPS]
    codes, _ = pandas.factorize(series.where(series.isin(common) | series.isna(), "others"))
    return codes.astype(np.int64)


def _fives(sheet: Sheet, row: dict[str, str], name: str, role: str) -> int | None:
    if role == "birth_date":
        day = sheet.day(row, name)
        return None if day is None else day.year // 5
    value = sheet.number(row, name)
    return None if value is None else int(value) // 5


def _chi_square(left: IntArray, right: IntArray) -> float:
    table = np.zeros((left.max() + 1, right.max() + 1))
    np.add.at(table, (left, right), 1)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float(((table - expected) ** 2 / np.where(expected > 0, expected, 1)).sum())
