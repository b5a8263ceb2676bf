"""Which columns of a delivery say what period it is about, so that a file under another period's name is refused."""

from pydantic import model_validator

from hims_pipeline.contracts.basics import Flag, Strict


class StatedPeriod(Strict):
    """The column or columns that state the period of a row, or why there are none.

    Args:
        date: a day within the period, of type date.
        year: a year; with `quarter` (1 to 4) or `month` (1 to 12) beside it where there are such columns.
        month: alone, a month written 2024-06, or any day of it in a column of type date.
        quarter: alone, a quarter written 2024Q1 or 2024-Q1.
        spelt: the period as the folder of the delivery is called, such as 2023-24.
        up_to: rows may be of earlier periods too, but of none later: editions that hold many years, registers that run.
        none: why no column says it; then nothing is checked.
    """

    date: str | None = None
    year: str | None = None
    quarter: str | None = None
    month: str | None = None
    spelt: str | None = None
    up_to: Flag = False
    none: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.date, self.year, self.quarter, self.month, self.spelt) if name)

    @model_validator(mode="after")
    def _check_way(self) -> "StatedPeriod":
        ways = [bool(self.date), bool(self.year), bool(self.spelt), bool(self.none)]
        ways.append(not self.year and bool(self.quarter or self.month))
        if sum(ways) != 1 or (self.quarter and self.month):
            raise ValueError(
                "a period is stated by one of `date`, `year` (with `quarter` or `month`), `month`, `quarter` and"
                " `spelt`, or by none, with the reason"
            )
        if self.up_to and (self.spelt or self.none):
            raise ValueError("`up_to` goes with days, months, quarters and years")
        return self
