"""Joins between entities of one delivery: which row of another entity a mapping takes its value from.

A mapping says `of: households`, or `of: households.dwellings`: names of references, one behind the other. Each step
joins on the key of the entity that it leads to, so that a row finds one row or none and none multiplies. Rows without
a counterpart are the gate's matter (`…-ORPHANS-…`). Not here: the SQL (`hims_pipeline.staging.models`).
"""

from collections.abc import Callable, Iterator, Mapping

from hims_pipeline.contracts.columns import Column, ColumnMap, Reference
from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.entities import Entity, Feed
from hims_pipeline.contracts.values import NUMERIC

MOST_STEPS = 3
Entities = Mapping[str, Entity]
"""The entities of one source in one period; their references and keys are the same in all."""
Rename = Callable[[str, Column], str]


def name_by_path(path: str, column: Column) -> str:
    """The name of a column that is taken from another entity: `<path>.<column>`."""
    return f"{path}.{column.name}"


def steps_of(entities: Entities, name: str, path: str) -> list[Reference]:
    """The references that a path follows from an entity.

    Raises:
        ValueError: a part of it is no reference of the entity that stands there.
    """
    steps, here = [], entities[name]
    for part in path.split("."):
        step = next((reference for reference in here.references if reference.called == part), None)
        if step is None:
            known = ", ".join(reference.called for reference in here.references) or "none"
            raise ValueError(f"of: {path}: {part} is no reference of {name}, which has {known}")
        steps.append(step)
        name = step.entity
        here = entities[name]
    return steps


def join_columns(entities: Entities, name: str, rename: Rename) -> Entity:
    """An entity as if the columns that its feeds take from other entities were its own.

    Args:
        rename: path and column there -> what the column is called here; what a layout lacks gives no value.
    """
    entity = entities[name]
    if not any(mapping.of for feed in entity.feeds for mapping in feed.columns.values()):
        return entity
    taken: dict[str, Column] = {}

    def resolve_mapping(mapping: ColumnMap) -> ColumnMap | None:
        if mapping.of is None:
            return mapping
        column = column_at(entities, name, mapping.of, str(mapping.from_))
        if column is None:
            return None
        called = rename(mapping.of, column)
        taken[called] = column.model_copy(update={"name": called})
        return mapping.model_copy(update={"from_": called, "of": None})

    feeds = []
    for feed in entity.feeds:
        columns = {
            target: resolved for target, mapping in feed.columns.items() if (resolved := resolve_mapping(mapping))
        }
        feeds.append(feed.model_copy(update={"columns": columns}))
    return entity.model_copy(update={"feeds": tuple(feeds), "columns": (*entity.columns, *taken.values())})


def column_at(entities: Entities, name: str, path: str, column: str) -> Column | None:
    """The column of the entity that a path leads to; None where this period does not have it."""
    target = entities[steps_of(entities, name, path)[-1].entity]
    return next((one for one in target.kept_columns if one.name == column), None)


def design_columns(entities: Entities, name: str, design: Design | None) -> dict[str, tuple[str, Column]]:
    """The columns that an entity's design may name: its own (path ``""``), and those of its design that
    stand in an entity that it refers to, with the path to it."""
    entity = entities[name]
    columns = {column.name: ("", column) for column in entity.kept_columns}
    named = () if design is None else design.named
    elsewhere = {column: _design_column(entities, name, column) for column in named if column not in columns}
    return columns | {column: place for column, place in elsewhere.items() if place}


def _design_column(entities: Entities, name: str, column: str) -> tuple[str, Column] | None:
    """Where a column of the design stands that an entity lacks itself: the nearest entity that it refers to."""
    waiting = [(reference.called, reference.entity) for reference in entities[name].references]
    while waiting:
        path, there = waiting.pop(0)
        if not _multiplies(entities, steps_of(entities, name, path)) and (
            joined_column := column_at(entities, name, path, column)
        ):
            return path, joined_column
        if path.count(".") + 1 < MOST_STEPS:
            waiting += [(f"{path}.{reference.called}", reference.entity) for reference in entities[there].references]
    return None


def reference_problems(source: str, periods: Mapping[str, Entities]) -> Iterator[str]:
    """What is wrong with references: names, types, and rows that a layout or an optional entity leaves without any.

    Args:
        periods: one of each layout, `""` for none -> the entities as they are in it.
    """
    for name, entity in periods[""].items():
        called = [one.called for one in entity.references]
        for one in sorted({one for one in called if called.count(one) > 1}):
            yield f"{name}: two references are called {one}; give each its `name`"
        for reference in entity.references:
            place = f"{name}: reference {reference.called}"
            low, high = reference.orphan_share
            if not 0 <= low <= high <= 1:
                yield f"{place}: `orphan_share` is the least and largest share, between 0 and 1"
            if reference.entity not in periods[""]:
                yield f"{name}: references {reference.entity}, which is no entity of {source}"
                continue
            for period, entities in periods.items():
                where = f"{place} in {period}" if period else place
                yield from _reference_problems(source, entities, name, reference, where)
        for period, entities in periods.items():
            kept = {column.name for column in entities[name].kept_columns}
            if lost := [one for one in entity.key if one not in kept]:
                yield f"{name} in {period}: its key has no {', '.join(lost)}"


def _reference_problems(source: str, entities: Entities, name: str, reference: Reference, place: str) -> Iterator[str]:
    here, there = entities[name], entities[reference.entity]
    if not there.required:
        yield f"{place}: {reference.entity} need not be sent; only what is `required` can be referred to"
    if len(reference.targets) != len(reference.columns):
        yield f"{place}: `to` has {len(reference.targets)} columns for {len(reference.columns)}"
        return
    for a, b in zip(reference.columns, reference.targets, strict=True):
        ours = next((column for column in here.kept_columns if column.name == a), None)
        theirs = next((column for column in there.kept_columns if column.name == b), None)
        if ours is None or theirs is None:
            absent = f"{reference.entity} has no column {b}" if ours else f"{name} has no column {a}"
            yield f"{place}: {absent}, or none that is kept"
        elif _kind(source, ours) != _kind(source, theirs):
            yield f"{place}: {a} is {_describe(source, ours)}, {b} of {reference.entity} is {_describe(source, theirs)}"


def _kind(source: str, column: Column) -> str:
    """Columns of one kind can be compared; pseudonyms only under one key."""
    if column.sensitivity == "identifier":
        return f"an identifier of the domain {column.domain or source}"
    return "number" if column.type in NUMERIC else column.type


def _describe(source: str, column: Column) -> str:
    kind = _kind(source, column)
    return kind if kind.startswith("an ") else f"of type {column.type}"


def join_problems(periods: Mapping[str, Entities]) -> Iterator[str]:
    """What is wrong with the joins of feeds; the references themselves hold. `periods` as for `reference_problems`."""
    for name in periods[""]:
        for entities in periods.values():
            for feed in entities[name].feeds:
                for target, mapping in feed.columns.items():
                    if mapping.of:
                        yield from (
                            f"{name} -> {feed.fact}.{target}: {problem}"
                            for problem in _join_problems(periods, name, mapping, mapping.of)
                        )


def _join_problems(periods: Mapping[str, Entities], name: str, mapping: ColumnMap, path: str) -> Iterator[str]:
    try:
        steps = steps_of(periods[""], name, path)
    except ValueError as error:
        yield str(error)
        return
    yield from _multiplies(periods[""], steps)
    if not any(column_at(entities, name, path, str(mapping.from_)) for entities in periods.values()):
        yield f"{steps[-1].entity} has no column {mapping.from_}, or none that is kept"


def _multiplies(entities: Entities, steps: list[Reference]) -> list[str]:
    """Steps that do not lead to one row, since they do not join on the whole key."""
    return [
        f"rows would multiply: the key of {one.entity} is ({', '.join(entities[one.entity].key) or 'none'}), "
        f"and the reference joins on ({', '.join(one.targets)})"
        for one in steps
        if set(one.targets) != set(entities[one.entity].key)
    ]


def find_joining_columns(entities: Entities, name: str) -> set[str]:
    """Columns of an entity by which rows of others find its rows."""
    return {
        column
        for entity in entities.values()
        for reference in entity.references
        if reference.entity == name
        for column in reference.targets
    }


def read_by_feeds(entities: Entities, name: str) -> Iterator[tuple[Feed, list[tuple[str, ColumnMap]]]]:
    """Feeds that read columns of an entity, its own and those of entities that refer to it, with these mappings."""
    for other, entity in entities.items():
        for feed in entity.feeds:
            read = [
                (target, mapping)
                for target, mapping in feed.columns.items()
                if (steps_of(entities, other, mapping.of)[-1].entity if mapping.of else other) == name
            ]
            if read:
                yield feed, read
