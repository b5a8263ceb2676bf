"""The SQL of rendered models.

`stg_<source>__<entity>`: one view an entity over the accepted batches, typed, names in snake case.
`feed_<fact>`: one view a fact, all entities that feed it, mapped to the fact's columns.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from hims_pipeline.contracts.columns import Column, ColumnMap
from hims_pipeline.contracts.fact_columns import FactColumn
from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.joins import steps_of
from hims_pipeline.contracts.missing import FLAG_SUFFIX, MISSING_SUFFIX, Missing
from hims_pipeline.contracts.model import Contract, Entity, Feed
from hims_pipeline.contracts.values import value_sql
from hims_pipeline.sql import literal, literals, quote
from hims_pipeline.staging.lookups import Lookups
from hims_pipeline.staging.names import BATCH_COLUMNS, IMPUTED, columns_beside, rendered_type, staged_name, staged_type

RECORD_KEY = "batch_id || '/' || entity || '/' || record_no"


def staging_sql(contract: Contract, entity_name: str) -> str:
    """The staging view of an entity: the files that the batch manifests give, an empty typed relation without any."""
    columns = contract.entities[entity_name].kept_columns
    companions = columns_beside(contract, entity_name)
    types = {column.name: staged_type(column) for column in columns} | dict.fromkeys(companions, "varchar")
    typed = ", ".join(f"{name!r}: {_type_in_jinja(kind)}" for name, kind in types.items())
    named = {column.name: staged_name(column.name) for column in columns} | companions
    keys = [name for name, kind in types.items() if kind == "uuid"]
    typed_as = {name: rendered_type(kind) for name, kind in types.items()}
    lines = [f"    cast({quote(name)} as {typed_as[name]}) as {quote(staged)}" for name, staged in named.items()]
    return "\n".join(
        [
            # For dbt's graph alone: no relation of that name is there.
            f"-- {{{{ source('validated', {contract.source + '__' + entity_name!r}) }}}}",
            "select",
            "    cast(_source as string) as source,",
            f"    cast({literal(entity_name)} as string) as entity,",
            "    cast(_period as string) as period,",
            "    cast(_batch as string) as batch_id,",
            "    cast(_layout as string) as layout,",
            ",\n".join(["    cast(_line as bigint) as record_no", *lines]),
            f"from ({{{{ read_batches({contract.source!r}, {entity_name!r}, {{{typed}}}, {keys!r}) }}}}) as sent",
        ]
    )


def _type_in_jinja(kind: str) -> str:
    """A type as an expression within Jinja."""
    return "key_type()" if kind == "uuid" else repr(rendered_type(kind))


Feeder = tuple[Contract, str, int]
"""A contract, its entity, and the position of a feed within the entity."""
Donated = Mapping[tuple[str, str], Collection[str]]
"""Source and entity -> its columns in staging that donors may fill."""


def feed_sql(columns: dict[str, str], feeders: list[Feeder], donated: Donated) -> str:
    """The union of all entities that feed a fact.

    Args:
        columns: the fact's fed columns and their SQL types.
    """
    selects = [_feeder_sql(*feeder, columns, donated) for feeder in feeders]
    if not selects:
        empty = [f"cast(null as {rendered_type(t)}) as {c}" for c, t in {**BATCH_COLUMNS, **columns}.items()]
        return "select\n    " + ",\n    ".join(empty) + "\nwhere false"
    return "\nunion all\n".join(selects)


def find_imputable(feeders: list[Feeder], donated: Donated) -> list[str]:
    """Columns of a fact whose values may rest on a donor's, sorted."""
    return sorted({name for feeder in feeders for name in _columns_with_donors(*feeder, donated)})


def _columns_with_donors(
    contract: Contract, entity_name: str, position: int, donated: Donated
) -> dict[str, dict[str, list[str]]]:
    """Column of the fact -> path of references (`""`: the entity itself) -> columns in staging there that donors may
    fill and that it is mapped from, in any layout."""
    mapped: dict[str, dict[str, set[str]]] = {}
    for period in ("", *(layout.known_periods[0] for layout in contract.layouts)) if donated else ():
        for name, mapping in contract.entity_in(entity_name, period).feeds[position].columns.items():
            for path, read in ((mapping.of or "", {mapping.from_}), ("", {*mapping.when})):
                there = steps_of(contract.entities, entity_name, path)[-1].entity if path else entity_name
                filled = {staged_name(one) for one in read if one}.intersection(
                    donated.get((contract.source, there), ())
                )
                if filled:
                    mapped.setdefault(name, {}).setdefault(path, set()).update(filled)
    return {name: {path: sorted(read) for path, read in some.items()} for name, some in sorted(mapped.items())}


def _imputed_columns(mapped: dict[str, dict[str, list[str]]], lookups: Lookups) -> str:
    """SQL: the fact's columns whose values rest on a donor's; null where none does."""

    def rests_on_donor(path: str, read: list[str]) -> str:
        column = lookups.take_imputed(path) if path else IMPUTED
        return f"{{{{ have_common(parts_of({column!r}, ' '), list_of({[literal(one) for one in read]!r})) }}}}"

    names = [
        f"case when {' or '.join(rests_on_donor(*one) for one in some.items())} then {literal(name)} end"
        for name, some in mapped.items()
    ]
    return f"nullif(concat_ws(' ', {', '.join(names)}), '')" if names else "null"


def _feeder_sql(contract: Contract, entity_name: str, position: int, columns: dict[str, str], donated: Donated) -> str:
    lines = [f"    {name}" for name in BATCH_COLUMNS]
    feed = contract.entities[entity_name].feeds[position]
    lookups = Lookups(contract, entity_name)
    targets = load_fact_columns().get(feed.fact, {})
    for name, kind in columns.items():
        target = targets.get(name, FactColumn(name, kind))
        if name == IMPUTED and name not in feed.columns:
            mapped = _imputed_columns(_columns_with_donors(contract, entity_name, position, donated), lookups)
            lines.append(f"    cast({mapped} as {rendered_type(kind)}) as {name}")
            continue
        expression = (
            _map_by_layout(contract, entity_name, position, target, lookups)
            if name in feed.columns or target.of
            else _design_column(contract, entity_name, name, lookups)
        )
        lines.append(f"    cast({expression} as {rendered_type(kind)}) as {name}")
    body = "select\n" + ",\n".join(lines) + f"\nfrom {{{{ ref('stg_{contract.source}__{entity_name}') }}}}"
    body += lookups.joins()
    return body if not feed.exclude else f"select * from (\n{body}\n) as mapped\nwhere {_kept_rows(feed)}"


def _design_column(contract: Contract, entity_name: str, name: str, lookups: Lookups) -> str:
    """Stratum, sampling unit or number of units as the design says, or what stands for it in a layout that does not
    have it; a label is put together where several columns make it up; null for other columns."""
    entity = contract.entities[entity_name]
    design = entity.design or contract.design
    if design is None:
        return "null"

    def word_of(period: str) -> str:
        sent = contract.at(period).design_columns(entity_name)
        made_of = [sent[column] for column in design.columns(name, sent)]
        names = [lookups.take(path, column) if path else column.name for path, column in made_of]
        quoted = [quote(staged_name(one)) for one in names]
        if not quoted:
            return "null"
        return quoted[0] if name in ("population_units", "population_ssus") else f"concat_ws('-', {', '.join(quoted)})"

    base = word_of("")
    by_layout = {one.name: word_of(one.known_periods[0]) for one in contract.layouts}
    cases = [f"when layout = {literal(layout)} then {other}" for layout, other in by_layout.items() if other != base]
    return f"case {' '.join(cases)} else {base} end" if cases else base


def _kept_rows(feed: Feed) -> str:
    return " and ".join(
        f"coalesce({c} not in ({literals([str(v) for v in vs])}), true)" for c, vs in feed.exclude.items()
    )


def _map_by_layout(contract: Contract, entity_name: str, position: int, target: FactColumn, lookups: Lookups) -> str:
    """The mapping of a column; a `case` over the layouts where some periods map it otherwise."""
    entity = contract.at("").join_columns(entity_name, lookups.take)
    base = _expression(_mapping_of(entity, position, target), entity.columns, target, lookups)
    cases = []
    for layout in contract.layouts:
        changed = contract.at(layout.known_periods[0]).join_columns(entity_name, lookups.take)
        other = _expression(_mapping_of(changed, position, target), changed.columns, target, lookups)
        if other != base:
            cases.append(f"when layout = {literal(layout.name)} then {other}")
    return f"case {' '.join(cases)} else {base} end" if cases else base


def _mapping_of(entity: Entity, position: int, target: FactColumn) -> ColumnMap | None:
    """The mapping that the feed gives, or, for the status of a figure, the one that follows from the figure's."""
    mappings = entity.feeds[position].columns
    figure = mappings.get(target.of)
    if target.name in mappings or not target.of:
        return mappings.get(target.name)
    column = entity.column(figure.from_) if figure and figure.from_ else None
    if target.name == "obs_status":
        return (
            ColumnMap.model_validate({"from": column.name, "take": "flag"})
            if column and column.absent.has_flag
            else None
        )
    default = "F" if target.name == "conf_status" else None
    if column is None or not column.absent.reasons:
        return ColumnMap.model_validate({"value": default}) if default else None
    codes = {reason: "C" if reason == "_C" else "F" for reason in sorted(column.absent.reasons)} if default else None
    return ColumnMap.model_validate({"from": column.name, "take": "missing", "codes": codes, "default": default})


def _expression(mapping: ColumnMap | None, columns: tuple[Column, ...], target: FactColumn, lookups: Lookups) -> str:
    if mapping is None:
        return "null"
    by_name = {column.name: column for column in columns}
    if mapping.from_ is None:
        mapped = literal(mapping.value)
    else:
        mapped = _map_values(mapping, by_name[mapping.from_], target, lookups)
    if mapping.from_ is not None and (mapping.default is not None or mapping.when):
        # A pseudonym beside a code would become a pseudonym too.
        mapped = f"cast({mapped} as {rendered_type(target.sql_type)})"
    if mapping.default is not None:
        mapped = f"coalesce({mapped}, {literal(mapping.default)})"
    return _map_when(mapping, by_name, mapped, target) if mapping.when else mapped


def _map_when(mapping: ColumnMap, columns: dict[str, Column], mapped: str, target: FactColumn) -> str:
    """A mapping that holds on some rows; where a column that says which ones is missing, nobody knows."""
    held, unknown, reasons = [], [], []
    for name, values in mapping.when.items():
        column = columns[name]
        staged = quote(staged_name(name))
        listed = [value_sql(column.type, v) for one in values if (v := column.value_of(one)) is not None]
        held.append(f"{staged} in ({', '.join(listed)})")
        lies = column.absent.condition(staged)
        unknown.append(f"{staged} is null" + (f" or {lies}" if lies else ""))
        reasons.append(_reason(column))
    lost = [*reasons] if target.kind == "text" else []
    lost += [literal(mapping.default)] if mapping.default is not None else []
    nobody = f"coalesce({', '.join(lost)})" if lost else "null"
    return (
        f"case when {' and '.join(held)} then {mapped} when {' or '.join(unknown)} then {nobody} "
        f"else {literal(mapping.otherwise)} end"
    )


def _reason(column: Column, absent: Missing | None = None) -> str:
    """SQL: the special code that a staged cell stands for; NULL where it has a value, or nothing is said."""
    name = staged_name(column.name)
    return (absent or column.absent).reason(quote(name), quote(name + MISSING_SUFFIX))


def _map_values(mapping: ColumnMap, column: Column, target: FactColumn, lookups: Lookups) -> str:
    name = quote(staged_name(column.name))
    text, absent = f"cast({name} as string)", column.absent
    reason = _reason(column) if absent.reasons and target.kind == "text" else ""
    if mapping.take != "value":
        flags = quote(staged_name(column.name) + FLAG_SUFFIX)
        taken = reason if mapping.take == "missing" else flags
        return _map_codes(taken, {literal(str(a)): b for a, b in mapping.codes.items()}) if mapping.codes else taken
    if mapping.codes is not None:
        codes = {column.value_of(code): to for code, to in mapping.codes.items()}
        mapped = _map_codes(name, {value_sql(column.type, a): to for a, to in codes.items() if a is not None})
        left = replace(absent, codes={code: to for code, to in absent.codes.items() if code not in codes})
        return f"coalesce({mapped}, {_reason(column, left)})" if reason and left.reasons else mapped
    if mapping.crosswalk is not None:
        mapped = lookups.translate(mapping.crosswalk, text)
        return f"coalesce({reason}, {mapped})" if reason else mapped
    if mapping.assign is not None:
        mapped = f"{{{{ assigned({mapping.assign!r}, {text!r}, {RECORD_KEY!r}) }}}}"
        return f"coalesce({reason}, {mapped})" if reason else mapped
    lies = absent.condition(name)
    value = f"case when {lies} then null else {name} end" if lies else name
    if mapping.replace:
        replaced = {column.value_of(code): to for code, to in mapping.replace.items()}
        whens = [f"when {value_sql(column.type, a)} then {literal(b)}" for a, b in replaced.items() if a is not None]
        value = f"case {name} {' '.join(whens)} else {value} end"
    if reason and target.special:
        return f"coalesce({reason}, cast({value} as string))"
    if mapping.multiply is None:
        return value
    return f"cast({value} as decimal(38,15)) * {_decimal(mapping.multiply)}"


def _map_codes(name: str, codes: dict[str, Any]) -> str:
    whens = " ".join(f"when {code} then {literal(str(to))}" for code, to in codes.items())
    return f"case {name} {whens} end"


def _decimal(factor: float) -> str:
    return f"cast({literal(format(factor, 'f').rstrip('0').rstrip('.'))} as decimal(9,3))"
