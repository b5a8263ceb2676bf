"""Drift of layout: what differs in an entity in some periods, and whether it fits what it is laid over.

Not here: entities themselves (`entities`).
"""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from hims_pipeline.contracts.basics import Flag, Name, Strict
from hims_pipeline.contracts.columns import Column, ColumnMap
from hims_pipeline.contracts.entities import Entity
from hims_pipeline.contracts.formats import Format
from hims_pipeline.contracts.stated_period import StatedPeriod


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

    files: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    header: tuple[str, ...] | None = None
    format: Format | None = None
    names: dict[str, str] = Field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    absent: tuple[str, ...] = ()
    required: Flag | None = None
    feeds: dict[Name, ColumnMap] = Field(default_factory=dict)
    period: StatedPeriod | None = None


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


def apply_layout(entity: Entity, layout: EntityLayout | None) -> Entity:
    """The entity with a period's layout laid over it."""
    if layout is None:
        return entity
    changed = {column.name: column for column in layout.columns}
    columns = tuple(changed.pop(column.name, column) for column in entity.columns) + tuple(changed.values())
    feeds = tuple(
        feed.model_copy(update={"columns": leave_out(layout.absent, {**feed.columns, **layout.feeds})})
        for feed in entity.feeds
    )
    return entity.model_copy(
        update={
            "columns": tuple(column for column in columns if column.name not in layout.absent),
            "feeds": feeds,
            "header": layout.header or entity.header,
            "format": layout.format or entity.format,
            "files": layout.files or entity.files,
            "required": entity.required if layout.required is None else layout.required,
            "period": layout.period or entity.period,
        }
    )


def leave_out(absent: tuple[str, ...], columns: dict[str, ColumnMap]) -> dict[str, ColumnMap]:
    """Mappings that need none of the absent columns; the others give no value."""
    return {name: one for name, one in columns.items() if not one.own_columns & set(absent)}


def layout_in(layouts: tuple[Layout, ...], period: str) -> Layout | None:
    """The layout of a period: one that names it, or else the last that has begun by then."""
    named = next((layout for layout in layouts if period in layout.periods), None)
    begun = sorted(
        (layout for layout in layouts if layout.from_ and layout.from_ <= period), key=lambda one: one.from_ or ""
    )
    return named or (begun[-1] if begun else None)


def layout_problems(entity: Entity, layout: EntityLayout) -> Iterator[str]:
    """What a layout says of columns that are not there, or twice; the entity itself holds."""
    known = {column.name for column in (*entity.columns, *layout.columns)}
    if strange := sorted(set(layout.absent) - {column.name for column in entity.columns}):
        yield f"`absent` names no column: {', '.join(strange)}"
    if strange := sorted(set(layout.names) - known - set(layout.header or entity.header or ())):
        yield f"`names` renames no column: {', '.join(strange)}"
    if both := sorted(set(layout.absent) & {*layout.names, *(column.name for column in layout.columns)}):
        yield f"{', '.join(both)} is `absent`, and described all the same"
    times = Counter(column.name for column in layout.columns)
    if doubled := sorted(name for name, count in times.items() if count > 1):
        yield f"column described twice: {', '.join(doubled)}"


def header_problems(entity: Entity, names: dict[str, str]) -> Iterator[str]:
    """Columns that the header of a period lacks, or that it has twice so that nothing tells which is read.

    Args:
        entity: as it is in that period.
        names: contract name -> name sent.
    """
    sent = [names.get(name, name) for name in entity.header or (column.name for column in entity.columns)]
    wanted = {column.name: names.get(column.name, column.name) for column in entity.kept_columns}
    if absent := sorted(name for name, called in wanted.items() if called not in sent):
        yield f"in columns but not in header: {', '.join(absent)}"
    if doubled := sorted(name for name, called in wanted.items() if sent.count(called) > 1):
        yield f"more than one column of the header is called as {', '.join(doubled)}"
