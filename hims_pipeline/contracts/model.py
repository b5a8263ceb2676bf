"""The contract of a source: what it sends, in which form, and what that means.

One YAML file a source, `data/contracts/<source>.yml`. Readers, staging models, compiled gate rules, assets and
documentation follow from it. Not here: single variables (`columns`), file formats (`formats`), sampling (`design`).
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Flag, Name, Strict, Text, Whole
from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.entities import (
    DurationRule,
    Entity,
    EntityLayout,
    Feed,
    Layout,
    MeasureType,
    ReferencePoint,
    is_totals,
    layout_in,
    matches,
    without,
)  # fmt: skip
from hims_pipeline.contracts.formats import Format, Limits
from hims_pipeline.contracts.joins import design_columns, join_problems, reference_problems
from hims_pipeline.contracts.periods import PATTERNS, SPELLING

__all__ = ["Contract", "Entity", "EntityLayout", "Feed", "Layout", "Period", "matches"]
PeriodName = Annotated[str, Field(pattern=r"^[0-9][0-9A-Z_-]{0,19}$")]  # a folder's name too


class Period(Strict):
    """What a period of this source is and what a new delivery replaces.

    Args:
        kind: `reference_period`, what the data are about, or `edition`, when they were issued; editions stay side by
            side.
        pattern: the spelling: 2024, 2024Q1, 2024-06; 2024-W05 for a week by ISO 8601; 2023-24 for an academic year;
            2024-12-10 for the state on a day, or a sum up to it.
        supersedes: what a new delivery replaces: the `same_period`, `earlier_editions`, `earlier_deliveries` (the last
            that arrived counts alone, and nothing does while it is refused), or `nothing`.
        may_be_ahead: a period that has not begun is no mistake.
    """

    kind: Literal["reference_period", "edition"] = "reference_period"
    pattern: Literal["year", "quarter", "month", "week", "academic_year", "date"] = "year"
    supersedes: Literal["same_period", "earlier_editions", "earlier_deliveries", "nothing"] = "same_period"
    may_be_ahead: Flag = False


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

    source: Name
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
    limits: Limits = Limits()
    entities: dict[Name, Entity]
    layouts: tuple[Layout, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Contract":
        for name, entity in self.entities.items():
            formats = [
                entity.format or self.format,
                *(o.entities[name].format for o in self.layouts if name in o.entities),
            ]
            for unpivot in (form.unpivot for form in formats if form and form.unpivot):
                if other := {unpivot.names, unpivot.values} - {column.name for column in entity.kept_columns}:
                    raise ValueError(f"{name}: `unpivot` names no such column: {', '.join(sorted(other))}")
        for layout in self.layouts:
            if unknown := set(layout.entities) - set(self.entities):
                raise ValueError(f"layout {layout.name}: no such entity {', '.join(sorted(unknown))}")
        for problems in (reference_problems, join_problems):
            if found := list(dict.fromkeys(problems(self))):
                raise ValueError("; ".join(found))
        kept = {name: {column.name for column in entity.kept_columns} for name, entity in self.entities.items()}
        drifted = {c.name for layout in self.layouts for other in layout.entities.values() for c in other.columns}
        if self.design:
            self.design.check("the source", kept, drifted.union(*kept.values()))
        for name, entity in self.entities.items():
            if entity.design:
                entity.design.check(name, kept, set(design_columns(self, name, "")))
        if self.personal and not self.legal.basis:
            raise ValueError("a personal source needs a legal basis")
        if self.personal:
            self._text_is_closed()
        self._begin_apart()
        for period in ("", *(layout.known_periods[0] for layout in self.layouts)):
            for name in self.entities:
                self._placed(name, period)
                self._drawn(name, period)
                self._stated(name, period)
                self._mapped(name, period)
        return self

    def _begin_apart(self) -> None:
        """Layouts that hold from a period on name one of this source, each another."""
        begun = [layout.from_ for layout in self.layouts if layout.from_]
        for first in begun:
            if not PATTERNS[self.period.pattern][0].fullmatch(first):
                raise ValueError(f"`from: {first}` of a layout is not {SPELLING[self.period.pattern]}")
            if begun.count(first) > 1 or any(first in layout.periods for layout in self.layouts):
                raise ValueError(f"two layouts hold for {first}")

    def reference_point_of(self, name: str) -> str:
        """The day or span within a period that an entity's rows are about: where nothing else is said, a stock is that
        of the period's end, and a flow that of the whole period."""
        entity = self.entities[name]
        usual = {"stock": "END_OF_PERIOD", "flow": "PERIOD", "mixed": "MIXED"}
        return entity.reference_point or self.reference_point or usual[entity.measure_type or self.measure_type]

    def _text_is_closed(self) -> None:
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

    def _placed(self, name: str, period: str) -> None:
        form = self.format_in(name, period)
        if form.type != "fixed_width" or form.codebook:
            return
        columns = self.entity_in(name, period).kept_columns
        if lost := [column.name for column in columns if column.start is None or column.width is None]:
            raise ValueError(f"{name}: without a codebook each column has `start` and `width`: {', '.join(lost)}")

    def _mapped(self, name: str, period: str) -> None:
        entity = self.entity_in(name, period)
        mappings = [mapping for feed in entity.feeds for mapping in feed.columns.values()]
        used = {column for one in mappings for column in one.own_columns}
        if absent := used - {column.name for column in entity.kept_columns}:
            raise ValueError(f"{name} in {period}: feeds read no such column: {', '.join(sorted(absent))}")

    def _stated(self, name: str, period: str) -> None:
        entity = self.entity_in(name, period)
        absent = set(entity.period.columns if entity.period else ()) - {column.name for column in entity.kept_columns}
        if absent:
            raise ValueError(
                f"{name} in {period}: nothing states its period, since {', '.join(sorted(absent))} is absent"
            )

    def _drawn(self, name: str, period: str) -> None:
        """A layout that lacks strata or units which others have needs a fallback, and the fallback's own columns."""
        design = self.entities[name].design or self.design
        sent, usual = design_columns(self, name, period), design_columns(self, name, "")
        if design and (lost := design.lost_in(sent, usual)):
            raise ValueError(
                f"{name} in {period or 'its base layout'}: nothing stands for {', '.join(lost)} of its design"
            )

    def layout_of(self, period: str) -> Layout | None:
        return layout_in(self.layouts, period)

    def entity_in(self, name: str, period: str) -> Entity:
        """The entity as it is in a period: the base record with that period's layout laid over it."""
        entity, layout = self.entities[name], self.layout_of(period)
        if layout is None or name not in layout.entities:
            return entity
        other = layout.entities[name]
        changed = {column.name: column for column in other.columns}
        columns = tuple(changed.pop(column.name, column) for column in entity.columns) + tuple(changed.values())
        columns = tuple(column for column in columns if column.name not in other.absent)
        feeds = tuple(
            feed.model_copy(update={"columns": without(other.absent, {**feed.columns, **other.feeds})})
            for feed in entity.feeds
        )
        return entity.model_copy(
            update={
                "columns": columns,
                "feeds": feeds,
                "header": other.header or entity.header,
                "format": other.format or entity.format,
                "files": other.files or entity.files,
                "required": entity.required if other.required is None else other.required,
                "period": other.period or entity.period,
            }
        )

    def sent_names(self, name: str, period: str) -> dict[str, str]:
        """Contract name -> name in the file, for the columns that a period's layout renames."""
        layout = self.layout_of(period)
        return dict(layout.entities[name].names) if layout and name in layout.entities else {}

    def format_in(self, name: str, period: str) -> Format:
        return self.entity_in(name, period).format or self.format

    def takers(self, file_name: str, period: str) -> list[str]:
        """The entities that a file holds, by its name; several only where it holds several types of records."""
        found = [name for name in self.entities if self.entity_in(name, period).takes(file_name)]
        if is_totals(file_name) or self.is_companion(file_name, period):
            return []
        shared = [name for name in found if self.format_in(name, period).record]
        return shared if found[:1] == shared[:1] else found[:1]

    def is_companion(self, file_name: str, period: str) -> bool:
        """Is this a codebook or dictionary that some entity of this period needs?"""
        globs = {glob for name in self.entities if (glob := self.format_in(name, period).companion)}
        return any(matches(file_name, glob) for glob in globs)
