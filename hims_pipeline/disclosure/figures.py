"""Figures as disclosure control sees them: whom each is about, in which cell, and how many records stand behind it.

Here: reading them from the build's file or from a public one. Not here: how they are linked (`linked`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOTALS = ("_T", "_Z", None)
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
            `balance_of`, `minimum`, `shown`, `breakdowns` (a map), and `n_numerator`, `n_denominator` where known.
        formers: area -> the one that it came from, of areas that split.
    """
    at = {name: place for place, name in enumerate(columns)}
    return [_figure(row, at, formers) for row in rows]


def _figure(row: Sequence[Any], at: Mapping[str, int], formers: Mapping[str, str]) -> Figure:
    def of(name: str) -> Any:
        return row[at[name]] if name in at else None

    pairs = [(name, of(name)) for name in CORE] + list((of("breakdowns") or {}).items())
    cell = tuple(sorted((name, code) for name, code in pairs if code not in TOTALS))
    shared_out = "E" in (of("obs_status") or "").split(";")
    kind = of("statistic")
    counted, records = of("n_numerator"), of("n_obs")
    if kind != RATIO and counted is None:
        counted = records
    value = of("obs_value")
    return Figure(
        (of("series_key"), of("time_period"), of("vintage")),
        tuple(of(name) for name in CONTEXT),
        (of("indicator"), of("universe"), of("duration_rule")),
        kind, tuple((of("balance_of") or "").split()), of("ref_area"), cell,
        formers.get(of("ref_area"), "") if shared_out else "",
        counted, of("n_denominator"), records,
        of("numerator") if kind in (SHARE, RATIO) else value, of("denominator"), value,
        int(of("minimum") or 0), bool(of("shown")),
    )  # fmt: skip
