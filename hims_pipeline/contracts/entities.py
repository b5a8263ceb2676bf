"""The entities of a source: the tables of a delivery, what they feed, and what differs in some periods.

Not here: the source as a whole (`model`), single variables (`columns`), file formats (`formats`).
"""

import fnmatch
import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from hims_pipeline.contracts.basics import Flag, Name, Raw, Strict, Text, Whole
from hims_pipeline.contracts.columns import Column, ColumnMap, Reference
from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.formats import Format
from hims_pipeline.contracts.missing import FLAG_SUFFIX, MISSING_SUFFIX
from hims_pipeline.contracts.stated import StatedPeriod

DurationRule = Literal["3M", "6M", "12M", "NONE", "MIXED"]
MeasureType = Literal["stock", "flow", "mixed"]
ReferencePoint = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]  # a reference_point of definitions.csv


def matches(file_name: str, glob: str) -> bool:
    """Does a base name fit a glob? Case is not looked at, since senders' systems do not."""
    return fnmatch.fnmatchcase(file_name.lower(), glob.lower())


def is_totals(file_name: str) -> bool:
    """Is this a sidecar with the control totals of another file, `<file>.totals.yml` or `<file>.totals.csv`?"""
    return bool(data_file_of(file_name))


def data_file_of(file_name: str) -> str:
    """The name of the file that a sidecar is of; empty where the name is no sidecar's."""
    match = re.fullmatch(r"(.+)\.totals\.(yml|csv)", file_name, re.IGNORECASE | re.DOTALL)
    return match.group(1) if match else ""


def code_part(name: str) -> str:
    """A name as it stands in the codes of rules."""
    return re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")


class Feed(Strict):
    """The conformed fact that an entity feeds.

    Args:
        fact: its name, without `fct_`.
        columns: column of the fact -> how it comes from the columns sent.
        exclude: column of the fact -> codes whose rows are left out, such as aggregates sent beside countries.
    """

    fact: Name
    columns: dict[Name, ColumnMap]
    exclude: dict[Name, list[Raw]] = Field(default_factory=dict)


class Entity(Strict):
    """One table of a delivery.

    Args:
        title: what it is called, by language.
        grain: what one row is.
        files: globs on the base name of a file, outside or inside an archive.
        required: a delivery without it waits, or is refused.
        format: where it differs from the source's.
        columns: the variables, in the file's order.
        feeds: the facts that it fills.
        key: columns that identify a row.
        references: rows here that must have a row in another entity.
        header: all names in the file, in order, where `columns` does not name them all; the rest is not read.
        minimum_rows: fewer rows refuse the batch.
        record_tolerance: share of lines that may be set aside as rejects; 0 refuses the batch at the first misfit.
        set_aside: end of a compiled rule's code (`AGE-RANGE`) -> share of rows that may be taken out for breaking it;
            they are kept in quarantine and counted, and past the share the batch is refused.
        may_be_accepted: ends of the codes of compiled rules against which a person may accept a batch.
        universe, duration_rule, measure_type, reference_point, design: where they differ from the source's, as
            between the questionnaires of one survey.
        window_years: of reported events, the years up to the period's last day in which they happened.
        period: the columns that say which period a row is of.
    """

    title: Text
    grain: str
    files: tuple[str, ...]
    required: Flag = True
    format: Format | None = None
    header: tuple[str, ...] | None = None
    key: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    minimum_rows: Whole = 1
    record_tolerance: float = 0.0
    set_aside: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=dict)
    may_be_accepted: tuple[str, ...] = ()
    columns: tuple[Column, ...]
    feeds: tuple[Feed, ...] = ()
    universe: Name | None = None
    duration_rule: DurationRule | None = None
    measure_type: MeasureType | None = None
    reference_point: ReferencePoint | None = None
    design: Design | None = None
    window_years: Whole | None = None
    period: StatedPeriod | None = None

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kept)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def takes(self, file_name: str) -> bool:
        return any(matches(file_name, glob) for glob in self.files)

    @model_validator(mode="after")
    def _check_names(self) -> "Entity":
        names = [column.name for column in self.columns]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"column named twice: {', '.join(sorted(doubled))}")
        lower = [name.lower() for name in names]
        if alike := sorted({name for name in names if lower.count(name.lower()) > 1}):
            raise ValueError(f"columns whose names differ in case alone, which SQL takes for one: {', '.join(alike)}")
        if reserved := [name for name in names if name.lower().endswith((MISSING_SUFFIX, FLAG_SUFFIX))]:
            raise ValueError(f"names ending in {MISSING_SUFFIX} and {FLAG_SUFFIX} are ours: {', '.join(reserved)}")
        used = {*self.key, *(c for ref in self.references for c in ref.columns)}
        used |= set(self.period.columns) if self.period else set()
        for feed in self.feeds:
            used |= {name for mapping in feed.columns.values() for name in mapping.own_columns}
        if missing := used - {column.name for column in self.kept_columns}:
            raise ValueError(f"no such column, or one that is not kept: {', '.join(sorted(missing))}")
        if self.header and (absent := set(names) - set(self.header)):
            raise ValueError(f"in columns but not in header: {', '.join(sorted(absent))}")
        self._check_period_columns()
        self._check_rules()
        return self

    def _check_rules(self) -> None:
        """What is said of a rule is said of one that there is: an option that does nothing is an error."""
        known = {f"{code_part(column.name)}-{rule}" for column in self.kept_columns for rule in column.rule_names}
        known |= {"KEY"} if self.key else set()
        known |= {f"{code_part(name)}-REQUIRED" for name in self.key}
        if strange := set(self.set_aside) - known - ({"PERIOD"} if self.period else set()):
            raise ValueError(f"set_aside: no rule on rows is called {', '.join(sorted(strange))}")
        known |= {"ROWS", "PERIOD", *(f"ORPHANS-{code_part(reference.called)}" for reference in self.references)}
        if strange := set(self.may_be_accepted) - known:
            raise ValueError(f"may_be_accepted: no rule is called {', '.join(sorted(strange))}")

    def _check_period_columns(self) -> None:
        """Columns that state the period have a type that can."""
        types = {"date": ("date",), "year": ("integer", "text"), "spelt": ("text", "integer")}
        parts = ("integer", "text")
        types |= {"quarter": parts if self.period and self.period.year else ("text",)}
        types |= {"month": parts if self.period and self.period.year else ("text", "date")}
        for way, fitting in types.items():
            name = getattr(self.period, way, None)
            if name and self.column(name).type not in fitting:
                kind = self.column(name).type
                raise ValueError(f"{name} is of type {kind}; a period's {way} is of type {' or '.join(fitting)}")

    def apply_layout(self, layout: "EntityLayout | None") -> "Entity":
        """The entity with a period's layout laid over it."""
        if layout is None:
            return self
        changed = {column.name: column for column in layout.columns}
        columns = tuple(changed.pop(column.name, column) for column in self.columns) + tuple(changed.values())
        feeds = tuple(
            feed.model_copy(update={"columns": leave_out(layout.absent, {**feed.columns, **layout.feeds})})
            for feed in self.feeds
        )
        return self.model_copy(
            update={
                "columns": tuple(column for column in columns if column.name not in layout.absent),
                "feeds": feeds,
                "header": layout.header or self.header,
                "format": layout.format or self.format,
                "files": layout.files or self.files,
                "required": self.required if layout.required is None else layout.required,
                "period": layout.period or self.period,
            }
        )


class EntityLayout(Strict):
    """What differs in an entity in some periods.

    Args:
        files, header, format, period: instead of the entity's.
        names: contract name -> name sent.
        columns: columns with other codes or types, each a whole column record.
        absent: columns that were not asked then.
        required: whether the entity must be sent then.
        feeds: column of a fact -> mapping, instead of the entity's.
    """

    files: tuple[str, ...] | None = None
    header: tuple[str, ...] | None = None
    format: Format | None = None
    names: dict[str, str] = Field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    absent: tuple[str, ...] = ()
    required: Flag | None = None
    feeds: dict[Name, ColumnMap] = Field(default_factory=dict)
    period: StatedPeriod | None = None


def leave_out(absent: tuple[str, ...], columns: dict[str, ColumnMap]) -> dict[str, ColumnMap]:
    """Mappings that need none of the absent columns; the others give no value."""
    return {name: one for name, one in columns.items() if not one.own_columns & set(absent)}


class Layout(Strict):
    """A drift of layout.

    Args:
        name: goes with the batches read by it.
        periods: those it holds for, as folders of deliveries are called.
        from_: in place of `periods`, the first period that it holds for (in YAML: `from`); it holds until the next
            layout of this kind begins, but for periods that another one names.
        entities: what is different, entity by entity.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    name: Name
    periods: tuple[str, ...] = ()
    from_: str | None = Field(None, alias="from")
    entities: dict[Name, EntityLayout]

    @property
    def known_periods(self) -> tuple[str, ...]:
        """Periods that it surely holds for: those named, or the first."""
        return self.periods or (self.from_ or "",)

    @model_validator(mode="after")
    def _check_periods(self) -> "Layout":
        if bool(self.periods) == bool(self.from_):
            raise ValueError(f"layout {self.name}: it has either `periods` or `from`")
        return self


def layout_in(layouts: tuple[Layout, ...], period: str) -> Layout | None:
    """The layout of a period: one that names it, or else the last that has begun by then."""
    named = next((layout for layout in layouts if period in layout.periods), None)
    begun = sorted(
        (layout for layout in layouts if layout.from_ and layout.from_ <= period), key=lambda one: one.from_ or ""
    )
    return named or (begun[-1] if begun else None)
