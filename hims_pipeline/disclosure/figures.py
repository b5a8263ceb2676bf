"""Figures as disclosure control sees them: whom each is about, in which cell, and how many records stand behind it.

Here: reading them from the build's file or from a public one. Not here: how they are linked (`linked_tables`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hims_pipeline.sql import literal, literals

CONTEXT = ("source", "data_kind", "vintage", "freq", "time_period", "period_start_date", "period_end_date")
CORE = ("counterpart_area", "sex", "age")
TOTAL, SHARE, RATIO, BALANCE, OTHER = "total", "share", "ratio", "balance", "other"

Cell = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; of a public file, one that is withheld has neither values nor counts.

    Attributes:
        key: series_key, time_period, vintage.
        context: source, edition and period: only figures that share it are about the same records.
        concept: indicator, universe and duration rule.
        kind: `total`, `share` (of a whole), `ratio` (of two groups), `balance` (one group less another), or `other`.
        sides: of a balance, the indicator, dimension and two codes that it is the difference of.
        area: `ref_area`.
        cell: its dimensions that are no total, with their codes, sorted.
        former: the area that a figure on later boundaries was shared out from; else empty.
        counted, base, records: records behind the numerator (or the total), behind the denominator, and those that the
            figure shows as its own (`n_obs`).
        above, below: the weighted numbers that it shows; of a total its value, and nothing.
        value: the figure itself.
        minimum: the smallest number of records that may be shown of it.
        shown: it is published.
    """

    key: tuple[str, str, str]
    context: tuple[Any, ...]
    concept: tuple[str, str, str]
    kind: str
    sides: tuple[str, ...]
    area: str
    cell: Cell
    former: str
    counted: float | None
    base: float | None
    records: float | None
    above: float | None
    below: float | None
    value: float | None
    minimum: int
    shown: bool


def read_figures(rows: Iterable[Sequence[Any]], columns: Sequence[str], formers: Mapping[str, str]) -> list[Figure]:
    """Figures from rows of a query.

    Args:
        columns: names of the rows' columns: those of `CONTEXT` and `CORE`, `series_key`, `indicator`, `universe`,
            `duration_rule`, `ref_area`, `obs_value`, `numerator`, `denominator`, `n_obs`, `obs_status`, `statistic`,
            `balance_of`, `minimum`, `shown`, `breakdowns` (as of `breakdowns_sql`), and `n_numerator`,
            `n_denominator` where known.
        formers: area -> the one that it came from, of areas that split.
    """
    at = {name: place for place, name in enumerate(columns)}
    return [_figure(row, at, formers) for row in rows]


def total_codes(dimension: str) -> tuple[str, ...]:
    """The codes that stand for everybody. Where an indicator has no counterpart that is `_Z`; elsewhere `_Z` are those
    to whom a question does not apply, and they are a part."""
    return ("_T", "_Z") if dimension == "counterpart_area" else ("_T",)


def breakdowns_sql(breakdowns: Sequence[str]) -> str:
    """The breakdowns of a row of `figures` that are no total, as SQL: pairs of name and code. All of them, as a map of
    Python's for each figure, take ten times as long to read as the figures themselves."""
    pairs = ", ".join(f"[{literal(one)}, figures.{one}]" for one in breakdowns)
    return f"list_filter([{pairs}]::varchar[][], lambda pair: pair[2] not in ({literals(total_codes(''))}))"


def minimum_sql(breakdowns: Sequence[str], reference: str = "reference") -> str:
    """The smallest number of records that may be shown of a row of `figures`, whose indicator is a row of `indicators`,
    as SQL: the strict count where it is broken down by what its record is strict by.

    Args:
        reference: the schema of the code lists.
    """
    strict = [
        f"(figures.{one} not in ({literals(total_codes(one))})"
        f" and list_contains(string_split(indicators.strict_by, ' '), {literal(one)}))"
        for one in (*CORE, *breakdowns)
    ]
    strict.append(
        "(list_contains(string_split(indicators.strict_by, ' '), 'ref_area')"
        f" and figures.ref_area in (select area_code from {reference}.areas where level != 'country'))"
    )
    return (
        f"cast(case when {' or '.join(strict)} then indicators.strict_records else indicators.minimum_records end"
        " as integer)"
    )


def _figure(row: Sequence[Any], at: Mapping[str, int], formers: Mapping[str, str]) -> Figure:
    def read_member(name: str) -> Any:
        return row[at[name]] if name in at else None

    pairs = [(name, read_member(name)) for name in CORE] + [(name, code) for name, code in read_member("breakdowns")]
    cell = tuple(sorted((name, code) for name, code in pairs if code is not None and code not in total_codes(name)))
    shared_out = "E" in (read_member("obs_status") or "").split(";")
    kind = read_member("statistic")
    counted, records = read_member("n_numerator"), read_member("n_obs")
    if kind != RATIO and counted is None:
        counted = records
    value = read_member("obs_value")
    return Figure(
        (read_member("series_key"), read_member("time_period"), read_member("vintage")),
        tuple(read_member(name) for name in CONTEXT),
        (read_member("indicator"), read_member("universe"), read_member("duration_rule")),
        kind, tuple((read_member("balance_of") or "").split()), read_member("ref_area"), cell,
        formers.get(read_member("ref_area"), "") if shared_out else "",
        counted, read_member("n_denominator"), records,
        read_member("numerator") if kind in (SHARE, RATIO) else value, read_member("denominator"), value,
        int(read_member("minimum") or 0), bool(read_member("shown")),
    )  # fmt: skip
