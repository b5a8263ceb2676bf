"""The sampling design of a source: what an estimate and its error need to know, phase by phase."""

from collections.abc import Collection, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from hims_pipeline.contracts.basics import Whole


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


class PublishedErrors(BaseModel, extra="forbid", frozen=True):
    """Errors of totals that a producer who keeps the design back publishes by their size, as the function that they lie
    on: ln(error) = level + slope * ln(total) (a generalised variance function; Wolter 2007, ch. 7).

    Errors of totals and shares of the whole sample are no smaller than it says: the fallback leaves out what makes them
    larger, and the function, an average over all that is asked, what makes those of few areas larger. Areas, whose
    functions are others, means, medians, differences, and totals beyond what it is for have the fallback's alone.

    Args:
        level, slope: of the logarithms, in the unit of the weights.
        smallest, largest: the totals that errors were published for.
        source: where they were published.
    """

    level: float
    slope: Annotated[float, Field(gt=0, lt=1)]
    smallest: Annotated[float, Field(gt=0)]
    largest: float
    source: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _refuse_empty_range(self) -> "PublishedErrors":
        if self.largest <= self.smallest:
            raise ValueError("`largest` is no larger than `smallest`, so the function is for no total")
        return self


class Fallback(BaseModel, extra="forbid", frozen=True):
    """What stands for strata or sampling units that were not delivered. Its name goes with the batches it is used for.

    Args:
        name: such as DWELLING_AS_UNIT.
        strata, psu: columns that stand in; without any, the whole sample is one stratum, or each record a unit.
        reason: what is lost by it, and in which direction errors are wrong.
        published_errors: errors by size of total that the producer publishes instead of its design; a floor.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    strata: tuple[str, ...] = ()
    psu: tuple[str, ...] = ()
    reason: Annotated[str, Field(min_length=1)]
    published_errors: PublishedErrors | None = None

    @property
    def note(self) -> str:
        """What a reader of its errors should know."""
        own = f" The producer's own errors: {self.published_errors.source}." if self.published_errors else ""
        return self.reason + own


class Design(BaseModel, extra="forbid", frozen=True):
    """How persons came to be in the file: what an estimate and its error need.

    Args:
        kind: `census` (all), `sample`, or `census_sample` (a sample of a census's records).
        phases: number of sampling phases; a second one is described by `subsampling`.
        strata, psu: columns sent; empty where they were never delivered. A feed whose fact has `stratum` or `psu` takes
            them from here where it does not map them itself.
        fallback: what stands for those that were not delivered, never or in some layout.
        weight: column sent, through all phases; without one every record counts `expand_to / records`, or
            `1 / fraction`, or 1.
        expand_to: published size of the population that the records stand for.
        fraction: share of the population drawn, such as 0.2 of a census whose questionnaires were processed one in
            five; errors get the finite population correction, 1 - fraction.
        population_units: column sent that holds how many sampling units the record's stratum has in the population;
            errors get the finite population correction of each stratum, 1 - drawn / population_units.
        ssu: columns sent that name the unit of the second stage within its primary one, such as the household in its
            village.
        population_ssus: column sent that holds how many of these the record's primary unit has; with `population_units`
            errors are those of two stages, each with its correction.
        lonely_units: what a stratum with one unit drawn, of several, adds to a variance, as R survey's option
            `survey.lonely.psu`: `remove` or `certainty` nothing, `adjust` the square of its distance from the whole
            sample's mean, `average` the mean of the other strata. Without it such figures have no error.
        corrections: adjustments already in the weights.
        subsampling: the second phase, where there are two.
    """

    kind: Literal["census", "sample", "census_sample"]
    phases: Literal[1, 2] = 1
    strata: tuple[str, ...] = ()
    psu: tuple[str, ...] = ()
    weight: str | None = None
    expand_to: Whole | None = None
    corrections: tuple[str, ...] = ()
    subsampling: Subsampling | None = None
    population_units: str | None = None
    ssu: tuple[str, ...] = ()
    population_ssus: str | None = None
    lonely_units: Literal["remove", "certainty", "adjust", "average"] | None = None
    fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    fallback: Fallback | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that make up strata and units, those that stand for them, and those that count units."""
        standing_in = (*self.fallback.strata, *self.fallback.psu) if self.fallback else ()
        return (*self.strata, *self.psu, *standing_in, *self._counted)

    @property
    def _counted(self) -> tuple[str, ...]:
        counts = (self.population_units, self.population_ssus)
        return (*self.ssu, *(name for name in counts if name))

    def columns(self, kind: str, sent: Collection[str]) -> tuple[str, ...]:
        """Columns that make up `stratum`, `psu`, `ssu` or a number of units where these columns were sent; none where
        nothing stands for them."""
        of_units = {
            "population_units": (self.population_units,) if self.population_units else (),
            "ssu": self.ssu,
            "population_ssus": (self.population_ssus,) if self.population_ssus else (),
        }
        if kind in of_units and self.fallback_of(sent):
            return ()  # they are of other strata and units than those that stand in
        designed = {"stratum": self.strata, "psu": self.psu, **of_units}.get(kind, ())
        if designed and set(sent).issuperset(designed):
            return designed
        standing_in = {"stratum": self.fallback.strata, "psu": self.fallback.psu}.get(kind, ()) if self.fallback else ()
        return standing_in if set(sent).issuperset(standing_in) else ()

    def fallback_of(self, sent: Collection[str]) -> str | None:
        """Name of the fallback where not all strata and units were sent; None where the design holds."""
        whole = self.strata and self.psu and set(sent).issuperset({*self.strata, *self.psu})
        return None if whole or self.fallback is None else self.fallback.name

    def published_errors_of(self, sent: Collection[str]) -> PublishedErrors | None:
        """The producer's own errors where the fallback stands in and it has them."""
        return self.fallback.published_errors if self.fallback and self.fallback_of(sent) else None

    def lost_columns_of(self, sent: Collection[str], usual: Collection[str]) -> list[str]:
        """Columns of strata and units that an entity usually has and a layout lacks, if nothing stands for them."""
        if self.kind == "census":
            return []
        absent = sorted({*self.strata, *self.psu} & set(usual) - set(sent))
        whole = self.fallback and set(sent).issuperset({*self.fallback.strata, *self.fallback.psu})
        return [] if whole else absent

    @model_validator(mode="after")
    def _refuse_silent_random_sample(self) -> "Design":
        if self.kind != "census" and not (self.strata and self.psu) and not self.fallback:
            raise ValueError(
                "a sample without strata or primary sampling units needs a `fallback`: say what stands for them, or "
                "its errors are those of a simple random sample that nobody drew"
            )
        if self.fraction and (self.kind != "census_sample" or self.weight or self.expand_to):
            raise ValueError("`fraction` is for a census_sample that has neither `weight` nor `expand_to`")
        if self.population_units and (self.kind == "census" or self.fraction or not (self.strata and self.psu)):
            raise ValueError("`population_units` is for a sample with `strata` and `psu` and without `fraction`")
        if bool(self.ssu) != bool(self.population_ssus) or (self.ssu and not self.population_units):
            raise ValueError("`ssu`, `population_ssus` and `population_units` go together: corrections of both stages")
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
        used = {*self.strata, *self.psu, *self._counted, *((self.weight,) if self.weight else ())}
        if self.fallback:
            used |= {*self.fallback.strata, *self.fallback.psu}
        if missing := used - there:
            raise ValueError(f"design of {place} names no column that is sent: {', '.join(sorted(missing))}")
        if self.subsampling is None:
            return
        if self.subsampling.entity not in kept:
            raise ValueError(f"design of {place}: no such entity {self.subsampling.entity}")
        if lost := set(self.subsampling.classes) - kept[self.subsampling.entity]:
            raise ValueError(f"design of {place}: the listing has no column {', '.join(sorted(lost))}")
