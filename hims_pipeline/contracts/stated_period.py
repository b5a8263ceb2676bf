"""Which columns of a delivery say what period it is about, so that a file under another period's name is refused."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Strict, Whole

PARTS = ("quarter", "month", "week")
"""Parts of a year, each with a column of its own beside the year or alone with the year in it."""
Span = Literal["day", "week", "month", "quarter", "year"]
_SPANS_OF: dict[str, tuple[Span, ...]] = {
    "date": ("day", "week", "month", "quarter", "year"),
    "month": ("month", "quarter", "year"),
    "week": ("week", "year"),
    "quarter": ("quarter", "year"),
}


class StatedPeriod(Strict):
    """The column or columns that state the period of a row, or why there are none.

    Args:
        date: a day within the period, of type date.
        year: a year; beside it `quarter` (1 to 4, Q1, T1), `month` (1 to 12, M01) or `week` of ISO 8601 (1 to 53, W05)
            where there are such columns. Alone it states no academic year, since it is part of two.
        month: alone, a month with its year (2024-06, 202406, 2024M06, 06/2024), or any day of it in a column of type
            date.
        quarter: alone, a quarter with its year (2024Q1, 2024-Q1, 2024T1, 20241, Q1 2024).
        week: alone, a week of ISO 8601 with its year (2024-W05, 2024W05, 202405).
        spelt: the period as the folder of the delivery is called; an academic year as 2023-24, 2023/24 or 2023-2024.
        up_to: rows may be of earlier periods too, but of none later: editions that hold many years, registers that run.
        last_within: with `up_to`, how many days, weeks, months, quarters or years, whichever states it, the latest row
            may lie before the period's end; so an older file is refused too.
        every: each `day`, `week`, `month`, `quarter` or `year` of the period must have rows, or the file is refused, as
            January alone is no quarter. Without it a flow that has no rows for some months, though on average twenty
            a month, is told and accepted; with `year`, months in which nothing happens are not told either.
        none: why no column says it; then nothing is checked.
    """

    date: str | None = None
    year: str | None = None
    quarter: str | None = None
    month: str | None = None
    week: str | None = None
    spelt: str | None = None
    up_to: Flag = False
    last_within: Annotated[Whole, Field(ge=0)] | None = None
    every: Span | None = None
    none: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        named = (self.date, self.year, self.quarter, self.month, self.week, self.spelt)
        return tuple(name for name in named if name)

    @property
    def part(self) -> str | None:
        """Which part of a year a column states: `quarter`, `month` or `week`."""
        return next((part for part in PARTS if getattr(self, part)), None)

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans of time, from the finest, that the columns tell apart."""
        return _SPANS_OF.get("date" if self.date else self.part or "", ("year",) if self.year else ())

    @model_validator(mode="after")
    def _check_way(self) -> "StatedPeriod":
        parts = [part for part in PARTS if getattr(self, part)]
        ways = [bool(self.date), bool(self.year or parts), bool(self.spelt), self.none is not None]
        if sum(ways) != 1 or len(parts) > 1:
            raise ValueError(
                "a period is stated by one of `date`, `year` (with `quarter`, `month` or `week`), `month`, `quarter`,"
                " `week` and `spelt`, or by none, with the reason"
            )
        if self.none is not None and not self.none.strip():
            raise ValueError("`none` says why no column states the period")
        if self.up_to and (self.spelt or self.none):
            raise ValueError("`up_to` goes with days, weeks, months, quarters and years")
        if self.last_within is not None and not self.up_to:
            raise ValueError("`last_within` goes with `up_to`")
        if self.every and self.every not in self.spans:
            known = ", ".join(self.spans) or "no span"
            raise ValueError(f"`every: {self.every}` goes with columns that tell it; these tell {known}")
        return self
