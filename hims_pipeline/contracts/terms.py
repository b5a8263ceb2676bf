"""Who sends a source, on what terms, and what a period of it is. Not here: what it sends (`model`, `entities`)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Strict, Whole


class Period(Strict):
    """What a period of this source is and what a new delivery replaces.

    Args:
        kind: `reference_period`, what the data are about, or `edition`, when they were issued; editions stay side by
            side.
        pattern: the spelling: 2024, 2024Q1, 2024-06; 2024-W05 for a week by ISO 8601; 2023-24 for an academic or fiscal
            year; 2024-12-10 for the state on a day, or a sum up to it.
        supersedes: what a new delivery replaces: the `same_period`, `earlier_editions`, `earlier_deliveries` (the last
            that arrived counts alone, and nothing does while it is refused), or `nothing`.
        first_month: of an `academic_year`, the month that it begins in, such as 7 of a fiscal year; October without it.
        may_be_ahead: a period that has not begun is no mistake.
    """

    kind: Literal["reference_period", "edition"] = "reference_period"
    pattern: Literal["year", "quarter", "month", "week", "academic_year", "date"] = "year"
    supersedes: Literal["same_period", "earlier_editions", "earlier_deliveries", "nothing"] = "same_period"
    first_month: Annotated[Whole, Field(ge=2, le=12)] | None = None
    may_be_ahead: Flag = False

    @model_validator(mode="after")
    def _check_first_month(self) -> "Period":
        if self.first_month and self.pattern != "academic_year":
            raise ValueError("`first_month` goes with `pattern: academic_year`")
        return self


class Owner(Strict):
    """Who sends the data.

    Args:
        institution: its name.
        contact: whom a refusal is told.
        country: its country, ISO 3166-1 alpha-3.
    """

    institution: str
    contact: str
    country: str = ""


class Licence(Strict):
    """On what terms.

    Args:
        name: of the licence or convention.
        attribution: the words that it asks for.
        redistributable: whether the data themselves may be passed on.
    """

    name: str
    attribution: str
    redistributable: Flag


class Legal(Strict):
    """The record of a personal source; production refuses such a source without one.

    Args:
        basis: the law or convention.
        record: number or place of the record of processing.
        retention_years: how long data may be kept.
    """

    basis: str
    record: str = ""
    retention_years: Whole
