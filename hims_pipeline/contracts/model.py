"""The contract of a source: what it sends, in which form, and what that means.

One YAML file a source, `data/contracts/<source>.yml`. Readers, staging models, compiled gate rules, assets and
documentation follow from it. Not here: single variables (`columns`), file formats (`formats`), sampling (`design`).
"""

import fnmatch
from typing import Annotated, Literal

from pydantic import Field, model_validator

from hims_pipeline.contracts.basics import Name, Raw, Strict, Text
from hims_pipeline.contracts.columns import Column, ColumnMap, Reference
from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.formats import Format, Limits

DurationRule = Literal["3M", "6M", "12M", "NONE", "MIXED"]
MeasureType = Literal["stock", "flow", "mixed"]
PeriodName = Annotated[str, Field(pattern=r"^[0-9][0-9A-Z_-]{0,19}$")]  # a folder's name too
ReferencePoint = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]  # a reference_point of definitions.csv


def matches(file_name: str, glob: str) -> bool:
    """Does a base name fit a glob? Case is not looked at, since senders' systems do not."""
    return fnmatch.fnmatchcase(file_name.lower(), glob.lower())


class Feed(Strict):
    """The conformed fact that an entity feeds; `exclude` leaves out rows, such as aggregates sent beside countries."""

    fact: Name
    columns: dict[Name, ColumnMap]
    exclude: dict[Name, list[Raw]] = Field(default_factory=dict)


class Entity(Strict):
    """One table of a delivery.

    Args:
        files: globs on the base name of a file, outside or inside an archive.
        header: all names in the file, in order, where `columns` does not name them all; the rest is not read.
        minimum_rows: fewer rows refuse the batch.
        record_tolerance: share of lines that may be set aside as rejects; 0 refuses the batch at the first misfit.
        universe, duration_rule, measure_type, reference_point, design: where they differ from the source's, as
            between the questionnaires of one survey.
        window_years: of reported events, the years up to the period's last day in which they happened.
    """

    title: Text
    grain: str
    files: tuple[str, ...]
    required: bool = True
    format: Format | None = None
    header: tuple[str, ...] | None = None
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    minimum_rows: int = 1
    record_tolerance: float = 0.0
    columns: tuple[Column, ...]
    feeds: tuple[Feed, ...] = ()
    universe: Name | None = None
    duration_rule: DurationRule | None = None
    measure_type: MeasureType | None = None
    reference_point: ReferencePoint | None = None
    design: Design | None = None
    window_years: int | None = None

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kept)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def takes(self, file_name: str) -> bool:
        return any(matches(file_name, glob) for glob in self.files)

    @model_validator(mode="after")
    def _names_exist(self) -> "Entity":
        names = [column.name for column in self.columns]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"column named twice: {', '.join(sorted(doubled))}")
        used = {*self.key, *(c for ref in self.references for c in ref.columns)}
        for feed in self.feeds:
            used |= {m.from_ for m in feed.columns.values() if m.from_} | {
                c for m in feed.columns.values() for c in m.when
            }
        if missing := used - {column.name for column in self.kept_columns}:
            raise ValueError(f"no such column, or one that is not kept: {', '.join(sorted(missing))}")
        if self.header and (absent := set(names) - set(self.header)):
            raise ValueError(f"in columns but not in header: {', '.join(sorted(absent))}")
        return self


class EntityLayout(Strict):
    """What differs in some periods: the names of the files and the names in them (`names`: contract name -> name sent),
    the format, columns with other codes or types (each a whole column record), and mappings into the fact. `absent`
    columns were not asked then; `required` says whether the entity must be sent then."""

    files: tuple[str, ...] | None = None
    header: tuple[str, ...] | None = None
    format: Format | None = None
    names: dict[str, str] = Field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    absent: tuple[str, ...] = ()
    required: bool | None = None
    feeds: dict[Name, ColumnMap] = Field(default_factory=dict)


def _without(absent: tuple[str, ...], columns: dict[str, ColumnMap]) -> dict[str, ColumnMap]:
    """Mappings that need none of the absent columns; the others give no value."""
    return {name: one for name, one in columns.items() if not {one.from_, *one.when} & set(absent)}


class Layout(Strict):
    """A drift of layout: the periods it holds for, and what is different entity by entity."""

    name: Name
    periods: tuple[str, ...]
    entities: dict[Name, EntityLayout]


class Period(Strict):
    """What a period of this source is and what a new delivery replaces.

    `reference_period`: what the data are about. `edition`: when they were issued; editions stay side by side.
    `pattern` gives the spelling: 2024, 2024Q1, 2024-06; 2023-24 for an academic year; 2024-12-10 for the state on a
    day, or a sum up to it. `supersedes: earlier_deliveries`: the last that arrived counts
    alone, and nothing does while it is refused.
    `may_be_ahead`: a period that has not begun is no mistake.
    """

    kind: Literal["reference_period", "edition"] = "reference_period"
    pattern: Literal["year", "quarter", "month", "academic_year", "date"] = "year"
    supersedes: Literal["same_period", "earlier_editions", "earlier_deliveries", "nothing"] = "same_period"
    may_be_ahead: bool = False


class Owner(Strict):
    institution: str
    contact: str
    country: str = ""


class Licence(Strict):
    name: str
    attribution: str
    redistributable: bool


class Legal(Strict):
    """The record of a personal source; production refuses such a source without one."""

    basis: str
    record: str = ""
    retention_years: int


class Contract(Strict):
    """A source. `country` is the one it reports on, absent where it reports on many."""

    source: Name
    title: Text
    description: str
    status: Literal["active", "proposed"] = "active"
    data_kind: Literal["real", "aggregate", "synthetic"]
    country: str | None = None
    personal: bool = False
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
            for reference in entity.references:
                if reference.entity not in self.entities:
                    raise ValueError(f"{name}: references {reference.entity}, which is no entity of {self.source}")
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
        kept = {name: {column.name for column in entity.kept_columns} for name, entity in self.entities.items()}
        drifted = {c.name for layout in self.layouts for other in layout.entities.values() for c in other.columns}
        if self.design:
            self.design.check("the source", kept, drifted.union(*kept.values()))
        for name, entity in self.entities.items():
            if entity.design:
                entity.design.check(name, kept, kept[name])
        if self.personal and not self.legal.basis:
            raise ValueError("a personal source needs a legal basis")
        if self.personal:
            self._text_is_closed()
        for period in ("", *(period for layout in self.layouts for period in layout.periods[:1])):
            for name in self.entities:
                self._placed(name, period)
                self._drawn(name, period)
        return self

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

    def _drawn(self, name: str, period: str) -> None:
        """A layout that lacks strata or units which others have needs a fallback, and the fallback's own columns."""
        design = self.entities[name].design or self.design
        sent = {column.name for column in self.entity_in(name, period).kept_columns}
        usual = {column.name for column in self.entities[name].kept_columns}
        if design and (lost := design.lost_in(sent, usual)):
            raise ValueError(
                f"{name} in {period or 'its base layout'}: nothing stands for {', '.join(lost)} of its design"
            )

    def layout_of(self, period: str) -> Layout | None:
        return next((layout for layout in self.layouts if period in layout.periods), None)

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
            feed.model_copy(update={"columns": _without(other.absent, {**feed.columns, **other.feeds})})
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
            }
        )

    def sent_names(self, name: str, period: str) -> dict[str, str]:
        """Contract name -> name in the file, for the columns that a period's layout renames."""
        layout = self.layout_of(period)
        return dict(layout.entities[name].names) if layout and name in layout.entities else {}

    def format_in(self, name: str, period: str) -> Format:
        return self.entity_in(name, period).format or self.format

    def takers(self, file_name: str, period: str) -> list[str]:
        """The entities that a file holds, by its name; several only where it holds several records of CSPro."""
        found = [name for name in self.entities if self.entity_in(name, period).takes(file_name)]
        if self.is_companion(file_name, period):
            return []
        shared = [name for name in found if self.format_in(name, period).type == "cspro"]
        return shared if found[:1] == shared[:1] else found[:1]

    def is_companion(self, file_name: str, period: str) -> bool:
        """Is this a codebook or dictionary that some entity of this period needs?"""
        globs = {glob for name in self.entities if (glob := self.format_in(name, period).companion)}
        return any(matches(file_name, glob) for glob in globs)
