"""Joins between entities of one delivery: which row of another entity a mapping takes its value from.

A mapping says `of: households`, or `of: households.dwellings`: names of references, one behind the other. Each step
joins on the key of the entity that it leads to, so that a row finds one row or none and none multiplies. Rows without
a counterpart are the gate's matter (`…-ORPHANS-…`). Not here: the SQL (`hims_pipeline.staging.models`).
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from hims_pipeline.contracts.columns import Column, ColumnMap, Reference
from hims_pipeline.contracts.entities import Entity, Feed
from hims_pipeline.contracts.values import NUMERIC

if TYPE_CHECKING:
    from hims_pipeline.contracts.model import Contract

MOST_STEPS = 3
Rename = Callable[[str, Column], str]


def steps_of(contract: "Contract", name: str, path: str) -> list[Reference]:
    """The references that a path follows from an entity.

    Raises:
        ValueError: a part of it is no reference of the entity that stands there.
    """
    found, here = [], contract.entities[name]
    for part in path.split("."):
        step = next((one for one in here.references if one.called == part), None)
        if step is None:
            known = ", ".join(one.called for one in here.references) or "none"
            raise ValueError(f"of: {path}: {part} is no reference of {name}, which has {known}")
        found.append(step)
        name = step.entity
        here = contract.entities[name]
    return found


def joined_in(
    contract: "Contract", name: str, period: str, rename: Rename = lambda path, column: f"{path}.{column.name}"
) -> Entity:
    """An entity in a period as if the columns that its feeds take from other entities were its own.

    Args:
        rename: path and column there -> what the column is called here; what a layout lacks gives no value.
    """
    entity = contract.entity_in(name, period)
    if not any(mapping.of for feed in entity.feeds for mapping in feed.columns.values()):
        return entity
    taken: dict[str, Column] = {}

    def resolved(mapping: ColumnMap) -> ColumnMap | None:
        if mapping.of is None:
            return mapping
        column = column_at(contract, name, mapping.of, str(mapping.from_), period)
        if column is None:
            return None
        called = rename(mapping.of, column)
        taken[called] = column.model_copy(update={"name": called})
        return mapping.model_copy(update={"from_": called, "of": None})

    feeds = []
    for feed in entity.feeds:
        columns = {target: one for target, mapping in feed.columns.items() if (one := resolved(mapping))}
        feeds.append(feed.model_copy(update={"columns": columns}))
    return entity.model_copy(update={"feeds": tuple(feeds), "columns": (*entity.columns, *taken.values())})


def column_at(contract: "Contract", name: str, path: str, column: str, period: str) -> Column | None:
    """The column of the entity that a path leads to; None where this period does not have it."""
    target = contract.entity_in(steps_of(contract, name, path)[-1].entity, period)
    return next((one for one in target.kept_columns if one.name == column), None)


def design_columns(contract: "Contract", name: str, period: str) -> dict[str, tuple[str, Column]]:
    """The columns that an entity's design may name in a period: its own (path ``""``), and those of its design that
    stand in an entity that it refers to, with the path to it."""
    entity = contract.entity_in(name, period)
    design = entity.design or contract.design
    found = {column.name: ("", column) for column in entity.kept_columns}
    named = () if design is None else design.named
    elsewhere = {column: _design_column(contract, name, column, period) for column in named if column not in found}
    return found | {column: place for column, place in elsewhere.items() if place}


def _design_column(contract: "Contract", name: str, column: str, period: str) -> tuple[str, Column] | None:
    """Where a column of the design stands that an entity lacks itself: the nearest entity that it refers to."""
    waiting = [(one.called, one.entity) for one in contract.entities[name].references]
    while waiting:
        path, there = waiting.pop(0)
        if not _multiplies(contract, steps_of(contract, name, path)) and (
            found := column_at(contract, name, path, column, period)
        ):
            return path, found
        if path.count(".") + 1 < MOST_STEPS:
            waiting += [(f"{path}.{one.called}", one.entity) for one in contract.entities[there].references]
    return None


def reference_problems(contract: "Contract") -> Iterator[str]:
    """What is wrong with references: names, types, and rows that a layout or an optional entity leaves without any."""
    periods = ["", *(layout.known_periods[0] for layout in contract.layouts)]
    for name, entity in contract.entities.items():
        called = [one.called for one in entity.references]
        for one in sorted({one for one in called if called.count(one) > 1}):
            yield f"{name}: two references are called {one}; give each its `name`"
        for reference in entity.references:
            place = f"{name}: reference {reference.called}"
            low, high = reference.orphan_share
            if not 0 <= low <= high <= 1:
                yield f"{place}: `orphan_share` is the least and largest share, between 0 and 1"
            if reference.entity not in contract.entities:
                yield f"{name}: references {reference.entity}, which is no entity of {contract.source}"
                continue
            for period in periods:
                yield from _reference_problems(contract, name, reference, period, place)
        for period in periods:
            kept = {column.name for column in contract.entity_in(name, period).kept_columns}
            if lost := [one for one in entity.key if one not in kept]:
                yield f"{name} in {period}: its key has no {', '.join(lost)}"


def _reference_problems(
    contract: "Contract", name: str, reference: Reference, period: str, place: str
) -> Iterator[str]:
    here, there = contract.entity_in(name, period), contract.entity_in(reference.entity, period)
    place = f"{place} in {period}" if period else place
    if not there.required:
        yield f"{place}: {reference.entity} need not be sent; only what is `required` can be referred to"
    if len(reference.targets) != len(reference.columns):
        yield f"{place}: `to` has {len(reference.targets)} columns for {len(reference.columns)}"
        return
    for a, b in zip(reference.columns, reference.targets, strict=True):
        ours = next((one for one in here.kept_columns if one.name == a), None)
        theirs = next((one for one in there.kept_columns if one.name == b), None)
        if ours is None or theirs is None:
            absent = f"{reference.entity} has no column {b}" if ours else f"{name} has no column {a}"
            yield f"{place}: {absent}, or none that is kept"
        elif _kind(contract, ours) != _kind(contract, theirs):
            yield f"{place}: {a} is {_said(contract, ours)}, {b} of {reference.entity} is {_said(contract, theirs)}"


def _kind(contract: "Contract", column: Column) -> str:
    """Columns of one kind can be compared; pseudonyms only under one key."""
    if column.sensitivity == "identifier":
        return f"an identifier of the domain {column.domain or contract.source}"
    return "number" if column.type in NUMERIC else column.type


def _said(contract: "Contract", column: Column) -> str:
    kind = _kind(contract, column)
    return kind if kind.startswith("an ") else f"of type {column.type}"


def join_problems(contract: "Contract") -> Iterator[str]:
    """What is wrong with the joins of feeds; the references themselves hold."""
    for name in contract.entities:
        for period in ("", *(layout.known_periods[0] for layout in contract.layouts)):
            for feed in contract.entity_in(name, period).feeds:
                for target, mapping in feed.columns.items():
                    if mapping.of:
                        yield from (
                            f"{name} -> {feed.fact}.{target}: {one}"
                            for one in _join_problems(contract, name, mapping, mapping.of)
                        )


def _join_problems(contract: "Contract", name: str, mapping: ColumnMap, path: str) -> Iterator[str]:
    try:
        steps = steps_of(contract, name, path)
    except ValueError as error:
        yield str(error)
        return
    yield from _multiplies(contract, steps)
    periods = ("", *(layout.known_periods[0] for layout in contract.layouts))
    if not any(column_at(contract, name, path, str(mapping.from_), period) for period in periods):
        yield f"{steps[-1].entity} has no column {mapping.from_}, or none that is kept"


def _multiplies(contract: "Contract", steps: list[Reference]) -> list[str]:
    """Steps that do not lead to one row, since they do not join on the whole key."""
    return [
        f"rows would multiply: the key of {one.entity} is ({', '.join(contract.entities[one.entity].key) or 'none'}), "
        f"and the reference joins on ({', '.join(one.targets)})"
        for one in steps
        if set(one.targets) != set(contract.entities[one.entity].key)
    ]


def joined_on(contract: "Contract", name: str) -> set[str]:
    """Columns of an entity by which rows of others find its rows."""
    return {
        column
        for entity in contract.entities.values()
        for reference in entity.references
        if reference.entity == name
        for column in reference.targets
    }


def read_by_feeds(contract: "Contract", name: str, period: str) -> Iterator[tuple[Feed, list[tuple[str, ColumnMap]]]]:
    """Feeds that read columns of an entity, its own and those of entities that refer to it, with these mappings."""
    for other in contract.entities:
        for feed in contract.entity_in(other, period).feeds:
            read = [
                (target, mapping)
                for target, mapping in feed.columns.items()
                if (steps_of(contract, other, mapping.of)[-1].entity if mapping.of else other) == name
            ]
            if read:
                yield feed, read
