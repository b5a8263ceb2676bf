"""The sampling design of a source: what an estimate and its error need to know, phase by phase."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator


class Subsampling(BaseModel, extra="forbid", frozen=True):
    """The second phase of a design: what was gone back to among the units that the first phase listed.

    Args:
        unit: what was drawn in the second phase, such as household.
        classes: columns of the listing entity by whose values the second phase was drawn.
        entity: the entity that lists the units of the first phase.
    """

    unit: str
    entity: str
    classes: Annotated[tuple[str, ...], Field(min_length=1)]


class Design(BaseModel, extra="forbid", frozen=True):
    """How persons came to be in the file: what an estimate and its error need.

    Args:
        kind: `census` (all), `sample`, or `census_sample` (a sample of a census's records).
        phases: number of sampling phases; a second one is described by `subsampling`.
        strata, psu: columns sent; empty where they were not delivered, and then `fallback` says what stands for them.
            A feed whose fact has `stratum` or `psu` takes them from here where it does not map them itself.
        weight: column sent, through all phases; without one every record counts `expand_to / records`, or 1.
        expand_to: published size of the population that the records stand for.
        corrections: adjustments already in the weights.
    """

    kind: Literal["census", "sample", "census_sample"]
    phases: Literal[1, 2] = 1
    strata: tuple[str, ...] = ()
    psu: tuple[str, ...] = ()
    weight: str | None = None
    expand_to: int | None = None
    corrections: tuple[str, ...] = ()
    subsampling: Subsampling | None = None
    fallback: str = ""

    def columns(self, kind: str) -> tuple[str, ...]:
        """Columns that make up `stratum` or `psu`."""
        return {"stratum": self.strata, "psu": self.psu}.get(kind, ())

    @model_validator(mode="after")
    def _no_silent_random_sample(self) -> "Design":
        if self.kind != "census" and not (self.strata and self.psu) and not self.fallback:
            raise ValueError(
                "a sample without strata or primary sampling units needs a `fallback`: say what stands for them, or "
                "its errors are those of a simple random sample that nobody drew"
            )
        if (self.phases == 2) != (self.subsampling is not None):
            raise ValueError(
                "two phases and `subsampling` go together: say which units the second phase was drawn from"
            )
        return self

    def check(self, place: str, kept: Mapping[str, set[str]], there: set[str]) -> None:
        """The design names columns that are sent: its own among `there`, classes among those of the listing.

        Args:
            place: whose design it is, for the message.
            kept: entity -> its columns.

        Raises:
            ValueError: names what is missing.
        """
        used = {*self.strata, *self.psu, *((self.weight,) if self.weight else ())}
        if missing := used - there:
            raise ValueError(f"design of {place} names no column that is sent: {', '.join(sorted(missing))}")
        if self.subsampling is None:
            return
        if self.subsampling.entity not in kept:
            raise ValueError(f"design of {place}: no such entity {self.subsampling.entity}")
        if lost := set(self.subsampling.classes) - kept[self.subsampling.entity]:
            raise ValueError(f"design of {place}: the listing has no column {', '.join(sorted(lost))}")
