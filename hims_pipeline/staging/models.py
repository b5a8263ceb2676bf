"""The SQL of rendered models.

`stg_<source>__<entity>`: one view an entity over the accepted batches, typed, names in snake case.
`feed_<fact>`: one view a fact, all entities that feed it, mapped to the fact's columns.
"""

import re

from hims_pipeline.contracts.columns import Column, ColumnMap
from hims_pipeline.contracts.model import Contract, Feed
from hims_pipeline.sql import literal, literals, quote

SQL_TYPES = {"integer": "bigint", "number": "double", "text": "varchar", "date": "date", "boolean": "boolean"}
BATCH_COLUMNS = {
    "source": "varchar",
    "entity": "varchar",
    "period": "varchar",
    "batch_id": "varchar",
    "layout": "varchar",
    "record_no": "bigint",
}

RECORD_KEY = "batch_id || '/' || entity || '/' || record_no"


def snake(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def sql_type(column: Column) -> str:
    if column.sensitivity == "identifier":
        return "uuid"
    return f"decimal(18,{column.scale})" if column.type == "decimal" else SQL_TYPES[column.type]


def staged_name(column: str) -> str:
    """Name in staging; one that a batch column holds already gets the suffix `_sent`."""
    name = snake(column)
    return f"{name}_sent" if name in BATCH_COLUMNS else name


def staging_sql(contract: Contract, entity_name: str) -> str:
    """The staging view of an entity: the files that the batch manifests give, an empty typed relation without any."""
    columns = contract.entities[entity_name].kept_columns
    typed = ", ".join(f"{quote(column.name)}: {sql_type(column)!r}" for column in columns)
    lines = [f"    cast({quote(c.name)} as {sql_type(c)}) as {quote(staged_name(c.name))}," for c in columns]
    return "\n".join(
        [
            "select",
            "    cast(_source as varchar) as source,",
            f"    cast({literal(entity_name)} as varchar) as entity,",
            "    cast(_period as varchar) as period,",
            "    cast(_batch as varchar) as batch_id,",
            "    cast(_layout as varchar) as layout,",
            "    cast(_line as bigint) as record_no,",
            *lines,
            f"from ({{{{ read_batches({contract.source!r}, {entity_name!r}, {{{_jinja(typed)}}}) }}}}) as sent",
        ]
    )


def _jinja(typed: str) -> str:
    return re.sub(r'"((?:[^"]|"")*)": ', lambda m: repr(m.group(1).replace('""', '"')) + ": ", typed)


def feed_sql(fact: str, columns: dict[str, str], feeders: list[tuple[Contract, str, int]]) -> str:
    """The union of all entities that feed a fact.

    Args:
        columns: the fact's fed columns and their SQL types.
        feeders: contract, entity, position of the feed within the entity.
    """
    selects = [_feeder_sql(contract, name, position, columns) for contract, name, position in feeders]
    if not selects:
        empty = [f"cast(null as {t}) as {c}" for c, t in {**BATCH_COLUMNS, **columns}.items()]
        return "select\n    " + ",\n    ".join(empty) + "\nwhere false"
    return "\nunion all by name\n".join(selects)


class _Lookups:
    """The crosswalks of one select, each joined once as a small table. A subquery for each would read nicer, but DuckDB
    keeps a copy of all rows for every correlated subquery: a census of 42 million filled a disk of 60 GB."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}

    def translated(self, scheme: str, text: str) -> str:
        """SQL of the code that an expression has in a scheme; null where it has none."""
        name = self._names.setdefault((scheme, text), f"x{len(self._names) + 1}")
        return f"{name}.{name}_to_code"

    def joins(self) -> str:
        """What follows the relation. Columns are named after the join, so that no column sent is hidden by one."""
        return "".join(
            f"\nleft join (\n    select code as {name}_code, max(to_code) as {name}_to_code from {{{{ ref('xwalk') }}}}"
            f" where scheme = {literal(scheme)} group by code\n) as {name} on {name}.{name}_code = {text}"
            for (scheme, text), name in self._names.items()
        )


def _feeder_sql(contract: Contract, entity_name: str, position: int, columns: dict[str, str]) -> str:
    lines = [f"    {name}," for name in BATCH_COLUMNS]
    feed = contract.entities[entity_name].feeds[position]
    lookups = _Lookups()
    for name, kind in columns.items():
        expression = (
            _by_layout(contract, entity_name, position, name, lookups)
            if name in feed.columns
            else _designed(contract, entity_name, name)
        )
        lines.append(f"    cast({expression} as {kind}) as {name},")
    body = "select\n" + "\n".join(lines) + f"\nfrom {{{{ ref('stg_{contract.source}__{entity_name}') }}}}"
    body += lookups.joins()
    return body if not feed.exclude else f"select * from (\n{body}\n) as mapped\nwhere {_kept(feed)}"


def _designed(contract: Contract, entity_name: str, name: str) -> str:
    """Stratum or sampling unit as the design says, or what stands for it in a layout that does not have it; joined
    where several columns make it up; null for other columns."""
    entity = contract.entities[entity_name]
    design = entity.design or contract.design
    if design is None:
        return "null"

    def in_words(columns: tuple[Column, ...]) -> str:
        made_of = design.columns(name, {column.name for column in columns if column.kept})
        return f"concat_ws('-', {', '.join(quote(staged_name(column)) for column in made_of)})" if made_of else "null"

    base = in_words(entity.columns)
    by_layout = {
        one.name: in_words(contract.entity_in(entity_name, one.periods[0]).columns) for one in contract.layouts
    }
    cases = [f"when layout = {literal(layout)} then {other}" for layout, other in by_layout.items() if other != base]
    return f"case {' '.join(cases)} else {base} end" if cases else base


def _kept(feed: Feed) -> str:
    return " and ".join(
        f"coalesce({c} not in ({literals([str(v) for v in vs])}), true)" for c, vs in feed.exclude.items()
    )


def _by_layout(contract: Contract, entity_name: str, position: int, name: str, lookups: _Lookups) -> str:
    """The mapping of a column; a `case` over the layouts where some periods map it otherwise."""
    entity = contract.entities[entity_name]
    base = _expression(entity.feeds[position].columns[name], entity.columns, lookups)
    cases = []
    for layout in contract.layouts:
        changed = contract.entity_in(entity_name, layout.periods[0])
        mapping = changed.feeds[position].columns.get(name)
        other = _expression(mapping, changed.columns, lookups) if mapping else "null"
        if other != base:
            cases.append(f"when layout = {literal(layout.name)} then {other}")
    return f"case {' '.join(cases)} else {base} end" if cases else base


def _expression(mapping: ColumnMap, columns: tuple[Column, ...], lookups: _Lookups) -> str:
    if mapping.from_ is None:
        mapped = literal(mapping.value)
    else:
        column = next(c for c in columns if c.name == mapping.from_)
        mapped = _mapped(mapping, column, lookups)
    if mapping.default is not None:
        mapped = f"coalesce({mapped}, {literal(mapping.default)})"
    if mapping.when:
        held = " and ".join(
            f"cast({quote(staged_name(c))} as varchar) in ({literals([str(v) for v in vs])})"
            for c, vs in mapping.when.items()
        )
        mapped = f"case when {held} then {mapped} else {literal(mapping.otherwise)} end"
    return mapped


def _mapped(mapping: ColumnMap, column: Column, lookups: _Lookups) -> str:
    name = quote(staged_name(column.name))
    text = f"cast({name} as varchar)"
    if mapping.codes is not None:
        whens = " ".join(f"when {literal(str(a))} then {literal(str(b))}" for a, b in mapping.codes.items())
        return f"case {text} {whens} end"
    special = {str(code): to for code, to in column.missing.items()}
    if mapping.crosswalk is not None:
        whens = " ".join(f"when {literal(a)} then {literal(b)}" for a, b in special.items())
        found = lookups.translated(mapping.crosswalk, text)
        return f"case {text} {whens} else {found} end" if whens else found
    if mapping.assign is not None:
        return f"{{{{ assigned({mapping.assign!r}, {text!r}, {RECORD_KEY!r}) }}}}"
    value = name if not special else f"case when {text} in ({literals(list(special))}) then null else {name} end"
    if mapping.replace:
        whens = " ".join(f"when {literal(str(a))} then {literal(b)}" for a, b in mapping.replace.items())
        value = f"case {text} {whens} else {value} end"
    if mapping.multiply is None:
        return value
    return f"cast({value} as decimal(28,9)) * {_decimal(mapping.multiply)}"


def _decimal(factor: float) -> str:
    return f"cast({literal(format(factor, 'f').rstrip('0').rstrip('.'))} as decimal(9,3))"
