"""The contract of a source: what it sends, in which form, and what that means.

One YAML file a source, `data/contracts/<source>.yml`. Readers, staging models, compiled gate rules, assets and
documentation follow from it. Not here: single variables (`columns`), file formats (`formats`), sampling (`design`).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Name, NamePart, Strict, Text
from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.entities import (
    DurationRule,
    Entity,
    Feed,
    MeasureType,
    ReferencePoint,
    is_totals,
    matches,
)  # fmt: skip
from hims_pipeline.contracts.formats import Format, FormatLimits
from hims_pipeline.contracts.joins import (
    Rename,
    design_columns,
    join_columns,
    join_problems,
    name_by_path,
    reference_problems,
)
from hims_pipeline.contracts.layouts import (
    EntityLayout,
    Layout,
    apply_layout,
    header_problems,
    layout_in,
    layout_problems,
)  # fmt: skip
from hims_pipeline.contracts.periods import SPELLING, day_problems, is_spelt
from hims_pipeline.contracts.terms import Legal, Licence, Owner, Period

__all__ = ["Contract", "Entity", "EntityLayout", "Feed", "Layout", "Period", "matches"]
PeriodName = Annotated[str, Field(pattern=r"^[0-9][0-9A-Z_-]{0,19}$")]  # a folder's name too


class Contract(Strict):
    """A source.

    Args:
        source: its name, which is that of the file.
        title: what it is called, by language.
        description: what it holds and what it does not.
        status: `proposed` until it is agreed with the sender.
        data_kind: `real`, `aggregate` (figures taken over as published) or `synthetic`.
        country: the one it reports on, ISO 3166-1 alpha-3; absent where it reports on many.
        personal: whether a row is a person who could be known by it.
        owner, licence, legal: who sends it, on what terms, and on what legal basis.
        purpose: what it is used for.
        cadence: how often it comes.
        period: what a period is and how folders of deliveries are called.
        clock: which day or span the data are about, in words.
        reference_dates: period -> first and last day, where a period has days of its own, as a census has.
        universe: whom it covers, a universe of `definitions.csv`.
        duration_rule: how long somebody must stay to count.
        measure_type: `stock`, `flow`, or `mixed`.
        reference_point: the day or span within a period that rows are about, a code of `definitions.csv`; by default
            the period's end for a stock and the whole of it for a flow.
        design: how persons came to be in the file.
        format: how its files are written; an entity may have its own.
        limits: how large its files may be.
        entities: the tables of a delivery.
        layouts: what differs in some periods.
    """

    source: NamePart
    title: Text
    description: str
    status: Literal["active", "proposed"] = "active"
    data_kind: Literal["real", "aggregate", "synthetic"]
    country: str | None = None
    personal: Flag = False
    owner: Owner
    licence: Licence
    purpose: str
    legal: Legal
    cadence: Literal["monthly", "quarterly", "annual", "decennial", "irregular"]
    period: Period
    clock: str
    reference_dates: dict[PeriodName, tuple[str, str]] = Field(default_factory=dict)
    universe: Name
    duration_rule: DurationRule
    measure_type: MeasureType
    reference_point: ReferencePoint | None = None
    design: Design | None = None
    format: Format = Format()
    limits: FormatLimits = FormatLimits()
    entities: dict[NamePart, Entity]
    layouts: tuple[Layout, ...] = ()

    @model_validator(mode="after")
    def _check_whole(self) -> "Contract":
        if strange_days := list(day_problems(self.reference_dates)):
            raise ValueError("; ".join(strange_days))
        self._check_layouts()
        periods = {period: self.at(period).entities for period in self.periods_of_layouts}
        for problems in (reference_problems(self.source, periods), join_problems(periods)):
            if distinct_problems := list(dict.fromkeys(problems)):
                raise ValueError("; ".join(distinct_problems))
        self._check_designs()
        if self.personal and not self.legal.basis:
            raise ValueError("a personal source needs a legal basis")
        if self.personal:
            self._check_text_is_closed()
        for period in self.periods_of_layouts:
            for name in self.entities:
                _check_entity(self.at(period), name)
        return self

    def _check_layouts(self) -> None:
        """Layouts name what there is, and each period one of them."""
        for layout in self.layouts:
            if unknown := set(layout.entities) - set(self.entities):
                raise ValueError(f"layout {layout.name}: no such entity {', '.join(sorted(unknown))}")
            for name, other in layout.entities.items():
                if problems := list(layout_problems(self.entities[name], other)):
                    raise ValueError(f"layout {layout.name}: {name}: {'; '.join(problems)}")
            for period in layout.periods:
                if not is_spelt(self.period.pattern, period) and period not in self.reference_dates:
                    raise ValueError(f"layout {layout.name}: {period} is not {SPELLING[self.period.pattern]}")
        names = [layout.name for layout in self.layouts]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two layouts are called {', '.join(doubled)}")
        self._begin_apart()

    def _check_designs(self) -> None:
        kept = {name: {column.name for column in entity.kept_columns} for name, entity in self.entities.items()}
        drifted = {c.name for layout in self.layouts for other in layout.entities.values() for c in other.columns}
        if self.design:
            self.design.check("the source", kept, drifted.union(*kept.values()))
        for name, entity in self.entities.items():
            if entity.design:
                entity.design.check(name, kept, set(self.at("").design_columns(name)))

    @property
    def periods_of_layouts(self) -> list[str]:
        """`""` for the base, and a period of each layout: all forms that a delivery may have."""
        return ["", *(layout.known_periods[0] for layout in self.layouts)]

    def _begin_apart(self) -> None:
        """No two layouts hold for one period, and those that hold from one on name one of this source."""
        named = [period for layout in self.layouts for period in layout.periods]
        if twice := sorted({period for period in named if named.count(period) > 1}):
            raise ValueError(f"two layouts hold for {', '.join(twice)}")
        begun = [layout.from_ for layout in self.layouts if layout.from_]
        for first in begun:
            if not is_spelt(self.period.pattern, first):
                raise ValueError(f"`from: {first}` of a layout is not {SPELLING[self.period.pattern]}")
            if begun.count(first) > 1 or any(first in layout.periods for layout in self.layouts):
                raise ValueError(f"two layouts hold for {first}")

    def reference_point_of(self, name: str) -> str:
        """The day or span within a period that an entity's rows are about: where nothing else is said, a stock is that
        of the period's end, and a flow that of the whole period."""
        entity = self.entities[name]
        usual = {"stock": "END_OF_PERIOD", "flow": "PERIOD", "mixed": "MIXED"}
        return entity.reference_point or self.reference_point or usual[entity.measure_type or self.measure_type]

    def _check_text_is_closed(self) -> None:
        """In a personal source open text may hold a name and a number: it stays inside unless the contract says why."""
        drifted = [
            (name, c) for layout in self.layouts for name, other in layout.entities.items() for c in other.columns
        ]
        for name, column in [*((n, c) for n, entity in self.entities.items() for c in entity.columns), *drifted]:
            if column.is_open_text and not column.open_text:
                raise ValueError(
                    f"{name}: {column.name} is open text of a personal source and may hold anybody's name. Give it"
                    " `codes`, a `crosswalk` or a `pattern` that no name fits, or `sensitivity: free_text` (it then"
                    " stays in the identified zone), or say why it may leave: `open_text: <reason>`"
                )

    def at(self, period: str) -> "ContractAt":
        """The contract as it holds for a period; `""` for none, which is the base without any layout."""
        return ContractAt(self, period)

    def layout_of(self, period: str) -> Layout | None:
        return self.at(period).layout

    def entity_in(self, name: str, period: str) -> Entity:
        return self.at(period).entity(name)

    def sent_names(self, name: str, period: str) -> dict[str, str]:
        return self.at(period).sent_names(name)

    def format_in(self, name: str, period: str) -> Format:
        return self.at(period).format_of(name)

    def takers(self, file_name: str, period: str) -> list[str]:
        return self.at(period).takers(file_name)

    def is_companion(self, file_name: str, period: str) -> bool:
        return self.at(period).is_companion(file_name)


@dataclass(frozen=True)
class ContractAt:
    """A contract as it holds for one period: its entities with that period's layout laid over them."""

    contract: Contract
    period: str

    @cached_property
    def layout(self) -> Layout | None:
        """What differs in this period; None where nothing does."""
        return layout_in(self.contract.layouts, self.period)

    @cached_property
    def entities(self) -> dict[str, Entity]:
        """All entities by name, in the contract's order."""
        return {name: self.entity(name) for name in self.contract.entities}

    def entity(self, name: str) -> Entity:
        """The entity as it is in this period."""
        return apply_layout(self.contract.entities[name], self.layout.entities.get(name) if self.layout else None)

    def format_of(self, name: str) -> Format:
        """How an entity's files are written."""
        return self.entity(name).format or self.contract.format

    def sent_names(self, name: str) -> dict[str, str]:
        """Contract name -> name in the file, for the columns of an entity that this period's layout renames."""
        return dict(self.layout.entities[name].names) if self.layout and name in self.layout.entities else {}

    def takers(self, file_name: str) -> list[str]:
        """The entities that a file holds, by its name; several only where it holds several types of records."""
        if is_totals(file_name) or self.is_companion(file_name):
            return []
        takers = [name for name, entity in self.entities.items() if entity.takes(file_name)]
        shared = [name for name in takers if self.format_of(name).record]
        return shared if takers[:1] == shared[:1] else takers[:1]

    def is_companion(self, file_name: str) -> bool:
        """Is this a codebook or dictionary that some entity of this period needs?"""
        globs = {glob for name in self.contract.entities if (glob := self.format_of(name).companion)}
        return any(matches(file_name, glob) for glob in globs)

    def design_columns(self, name: str) -> dict[str, tuple[str, Column]]:
        """The columns that an entity's design may name, each with the path to where it stands; see `joins`."""
        return design_columns(self.entities, name, self.contract.entities[name].design or self.contract.design)

    def join_columns(self, name: str, rename: Rename = name_by_path) -> Entity:
        """An entity as if the columns that its feeds take from other entities were its own; see `joins`."""
        return join_columns(self.entities, name, rename)


def _check_entity(terms: ContractAt, name: str) -> None:
    """What an entity names must be there in this period: places of columns, columns of feeds, period and design.

    Raises:
        ValueError: what is not there.
    """
    entity, form, period = terms.entity(name), terms.format_of(name), terms.period
    pattern = terms.contract.period.pattern
    kept = {column.name for column in entity.kept_columns}
    if form.unpivot and (absent := {form.unpivot.names, form.unpivot.values} - kept):
        raise ValueError(f"{name}: `unpivot` names no such column: {', '.join(sorted(absent))}")
    if absent := set(form.fill_down) - {*(entity.header or ()), *(column.name for column in entity.columns)}:
        raise ValueError(f"{name}: `fill_down` names no such column: {', '.join(sorted(absent))}")
    placeless = [column.name for column in entity.kept_columns if column.start is None or column.width is None]
    if placeless and form.type == "fixed_width" and not form.codebook:
        raise ValueError(f"{name}: without a codebook each column has `start` and `width`: {', '.join(placeless)}")
    design, usual = terms.contract.entities[name].design or terms.contract.design, terms.contract.at("")
    if design and (lost := design.lost_columns_of(terms.design_columns(name), usual.design_columns(name))):
        # A layout that lacks strata or units which others have needs a fallback, and the fallback's own columns.
        raise ValueError(f"{name} in {period or 'its base layout'}: nothing stands for {', '.join(lost)} of its design")
    if absent := set(entity.period.columns if entity.period else ()) - kept:
        raise ValueError(f"{name} in {period}: nothing states its period, since {', '.join(sorted(absent))} is absent")
    stated = entity.period
    if stated and stated.year and not (stated.part or stated.up_to) and pattern == "academic_year":
        raise ValueError(
            f"{name}: a year alone is part of two academic years; state `spelt`, `date` or a part of it too"
        )
    mappings = [mapping for feed in entity.feeds for mapping in feed.columns.values()]
    if absent := {column for one in mappings for column in one.own_columns} - kept:
        raise ValueError(f"{name} in {period}: feeds read no such column: {', '.join(sorted(absent))}")
    problems = list(header_problems(entity, terms.sent_names(name)))
    try:
        entity.check_columns()
    except ValueError as error:
        problems.append(str(error))
    if problems:
        raise ValueError(f"{name} in {period or 'its base layout'}: {'; '.join(problems)}")
