"""The SQL of corrections: `sent_<source>__<entity>` as delivered, `stg_<source>__<entity>` with known errors mended,
`feed_corrections` with what each of them did to each batch.

Conditions and expressions read the row as delivered: the order of corrections changes nothing, and two of them may not
change one column of one row (the first in the file counts, and the matches of both are told). Imputations by donors
come after, over `edited_<source>__<entity>` (`hims_pipeline.staging.imputation`).
"""

import duckdb

from hims_pipeline.contracts.corrections import Correction
from hims_pipeline.contracts.joins import find_joining_columns
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.sql import literal, literals, quote
from hims_pipeline.staging import expressions
from hims_pipeline.staging.imputation import has_value_sql, imputed_sql
from hims_pipeline.staging.names import BATCH_COLUMNS, columns_beside, staged_name, staged_type

NUMERIC = ("bigint", "decimal", "double")
MATCHED_COLUMNS = {
    "correction_id": "varchar",
    "source": "varchar",
    "entity": "varchar",
    "period": "varchar",
    "batch_id": "varchar",
    "rows_sent": "bigint",
    "rows_matched": "bigint",
    "rows_changed": "bigint",
    "measure_before": "double",
    "measure_after": "double",
}


def columns_of(contract: Contract, entity: str) -> dict[str, str]:
    """The columns of an entity in staging and their SQL types."""
    own = {staged_name(c.name): staged_type(c) for c in contract.entities[entity].kept_columns}
    return BATCH_COLUMNS | own | dict.fromkeys(columns_beside(contract, entity).values(), "varchar")


def check_corrections(con: duckdb.DuckDBPyConnection, contract: Contract, corrections: tuple[Correction, ...]) -> None:
    """Every correction names columns of its entity, and its SQL is a condition or expression over them alone.

    Raises:
        ContractError: all that is wrong, correction by correction.
    """
    wrong = []
    for one in corrections:
        columns = columns_of(contract, one.entity)
        named = (*one.changed, *one.matches, *([one.measure] if one.measure else ()))
        absent = [name for name in named if name not in columns]
        wrong += [f"{one.id}: {one.entity} has no column {name}" for name in absent]
        wrong += [f"{one.id}: {name} says where a row comes from" for name in one.changed if name in BATCH_COLUMNS]
        keys = {staged_name(column) for column in find_joining_columns(contract.entities, one.entity)}
        wrong += [f"{one.id}: rows of other entities are found by {name}" for name in one.changed if name in keys]
        if one.measure in columns and not columns[one.measure].startswith(NUMERIC):
            wrong.append(f"{one.id}: {one.measure} is no number that could be summed")
        if not absent:
            wrong += [f"{one.id}: {problem}" for problem in _sql_problems(con, one, columns)]
    given = [(one.entity, name) for one in corrections if one.donors for name in one.donors.columns]
    wrong += [f"{entity}: {name} is imputed twice" for entity, name in sorted({g for g in given if given.count(g) > 1})]
    if wrong:
        raise ContractError(f"corrections/{contract.source}.yml does not fit its entities:\n  " + "\n  ".join(wrong))


def _sql_problems(con: duckdb.DuckDBPyConnection, one: Correction, columns: dict[str, str]) -> list[str]:
    """What is wrong with a correction's SQL, on an empty table of the entity's columns."""
    expressions.make_table(con, columns)
    classes = [f"({text})" for level in one.donors.classes for text in level] if one.donors else []
    values = [] if one.donors else [_value(one, name, columns) for name in one.changed]
    # As written, and then as it is put to use: brackets that are around it there must not make sense of it.
    written = [text for text in (one.where, *one.compute.values()) if text]
    written += [text for level in one.donors.classes for text in level] if one.donors else []
    try:
        kinds = [expressions.kind_of_expression(con, text) for text in (*written, *classes, *values, condition(one))]
    except ValueError as error:
        return [str(error)]
    return [] if kinds[-1] == "BOOLEAN" else ["`where` is a condition: true or false for each row"]


def condition(one: Correction) -> str:
    """Which rows of its periods a correction is about, as SQL."""
    if one.where:
        return f"({one.where})"
    # Texts in quotes take the column's type, so that values are compared: 9999 is 9999.00.
    parts = (f"{quote(c)} in ({literals([str(v) for v in vs])})" for c, vs in one.matches.items())
    return f"({' and '.join(parts)})"


def _hits(one: Correction) -> str:
    periods = " or ".join(f"period glob {literal(glob)}" for glob in one.periods)
    return f"coalesce({condition(one)}, false)" + (f" and ({periods})" if periods else "")


def _value(one: Correction, column: str, columns: dict[str, str]) -> str:
    value = "null" if column in one.missing else one.compute.get(column, "")
    return f"cast({value or literal(one.set.get(column))} as {columns[column]})"


def corrected_models(contract: Contract, entity: str, corrections: tuple[Correction, ...]) -> dict[str, str]:
    """The views over `sent_…` of an entity with known errors, by their names: the staging view, and before it
    `edited_…` where values of other records are put in."""
    edits = tuple(one for one in corrections if not one.donors)
    imputations = [(one, _hits(one)) for one in corrections if one.donors]
    name = f"{contract.source}__{entity}"
    if not imputations:
        return {f"stg_{name}": corrected_sql(contract, entity, edits)}
    return {
        f"edited_{name}": corrected_sql(contract, entity, edits),
        f"stg_{name}": imputed_sql(contract, entity, imputations),
    }


def corrected_sql(contract: Contract, entity: str, corrections: tuple[Correction, ...]) -> str:
    """An entity with known errors mended, over the view of what was delivered."""
    columns = columns_of(contract, entity)
    lines = []
    for name in columns:
        whens = [f"when {_hits(one)} then {_value(one, name, columns)}" for one in corrections if name in one.changed]
        mended = f"case {' '.join(whens)} else {quote(name)} end as {quote(name)}" if whens else quote(name)
        lines.append(f"    {mended}")
    kept = " and ".join(f"not ({_hits(one)})" for one in corrections if one.drop)
    body = "select\n" + ",\n".join(lines) + f"\nfrom {{{{ ref('sent_{contract.source}__{entity}') }}}}"
    return body + (f"\nwhere {kept}" if kept else "")


def matched_sql(by_source: dict[str, tuple[Correction, ...]], contracts: dict[str, Contract]) -> str:
    """What each correction did to each batch of its periods; no row where no such batch counts."""
    selects = [
        (_describe_imputed if one.donors else _describe_matched)(contracts[source], one)
        for source, some in by_source.items()
        for one in some
    ]
    if selects:
        return "\nunion all\n".join(selects)
    empty = [f"cast(null as {kind}) as {name}" for name, kind in MATCHED_COLUMNS.items()]
    return "select\n    " + ",\n    ".join(empty) + "\nwhere false"


def _describe_matched(contract: Contract, one: Correction) -> str:
    columns = columns_of(contract, one.entity)
    hits = _hits(one)
    differs = " or ".join(f"{quote(c)} is distinct from {_value(one, c, columns)}" for c in one.changed) or "true"
    return _count_sql(
        one, f"{{{{ ref('sent_{contract.source}__{one.entity}') }}}}", hits, differs, *_measures(one, columns, hits)
    )


def _describe_imputed(contract: Contract, one: Correction) -> str:
    """Of an imputation: edited rows beside what staging makes of them."""
    assert one.donors is not None
    given, name = one.donors.columns, f"{contract.source}__{one.entity}"
    told = one.measure or given[0]
    after = ", ".join(f"stg.{quote(column)} as {quote('then_' + column)}" for column in dict.fromkeys([*given, told]))
    both = (
        f"(\n    select edited.*, {after}\n    from {{{{ ref('edited_{name}') }}}} as edited\n"
        f"    join {{{{ ref('stg_{name}') }}}} as stg\n"
        "        on edited.batch_id = stg.batch_id and edited.record_no = stg.record_no\n) as rows_of_both"
    )
    differs = " or ".join(f"{quote(c)} is distinct from {quote('then_' + c)}" for c in given)
    measures = []
    for column in (told, f"then_{told}"):
        has_value = f"filter (where {has_value_sql(contract, one.entity, told, quote(column))})"
        mean = f"round(sum(cast({quote(column)} as decimal(38, 6))) {has_value} / (count(*) {has_value}), 6)"
        measures.append(mean if one.measure else f"count(*) {has_value}")
    return _count_sql(one, both, _hits(one), differs, measures[0], measures[1])


def _count_sql(one: Correction, relation: str, hits: str, differs: str, before: str, after: str) -> str:
    periods = " or ".join(f"period glob {literal(glob)}" for glob in one.periods)
    return "\n".join(
        [
            "select",
            f"    {literal(one.id)} as correction_id,",
            "    source,",
            "    entity,",
            "    period,",
            "    batch_id,",
            "    count(*) as rows_sent,",
            f"    count(*) filter (where {hits}) as rows_matched,",
            f"    count(*) filter (where {hits} and ({differs})) as rows_changed,",
            f"    cast({before} as double) as measure_before,",
            f"    cast({after} as double) as measure_after",
            f"from {relation}",
            *([f"where {periods}"] if periods else []),
            "group by source, entity, period, batch_id",
        ]
    )


def _measures(one: Correction, columns: dict[str, str], hits: str) -> tuple[str, str]:
    if one.measure is None:
        return "count(*)", f"count(*) filter (where not ({hits}))" if one.drop else "count(*)"
    before = f"cast({quote(one.measure)} as decimal(38, 6))"
    if one.drop:
        return f"sum({before})", f"sum({before}) filter (where not ({hits}))"
    if one.measure not in one.changed:
        return f"sum({before})", f"sum({before})"
    after = f"cast({_value(one, one.measure, columns)} as decimal(38, 6))"
    return f"sum({before})", f"sum(case when {hits} then {after} else {before} end)"


def _describe_measures(one: Correction) -> str:
    """What `measure_before` and `measure_after` are, in words."""
    if one.donors:
        return f"mean of {one.measure}" if one.measure else f"records with {one.donors.columns[0]}"
    return f"sum of {one.measure}" if one.measure else "records"


def correction_row(source: str, one: Correction, languages: tuple[str, ...]) -> dict[str, str]:
    """A correction as one row of the table `corrections`; lists are separated by blanks."""
    values = (
        one.id, source, one.entity, one.kind, one.action, " ".join(one.changed), " ".join(one.periods), condition(one),
        _describe_measures(one), one.provided_by, one.status, str(one.guard.minimum),
        *("" if limit is None else str(limit) for limit in (one.guard.maximum, one.guard.maximum_share)),
        one.guard.severity, *one.reason.columns("reason", languages).values(),
    )  # fmt: skip
    return dict(zip(correction_header(languages), values, strict=True))


def correction_header(languages: tuple[str, ...]) -> list[str]:
    return [
        "correction_id", "source", "entity", "kind", "action", "columns_changed", "periods", "condition", "measure",
        "provided_by", "status", "expected_minimum", "expected_maximum", "maximum_share", "severity",
        *(f"reason_{language}" for language in languages),
    ]  # fmt: skip
