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
from hims_pipeline.staging.names import BATCH_COLUMNS, columns_beside, rendered_type, staged_name, staged_type

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


def _rendered_columns(contract: Contract, entity: str) -> dict[str, str]:
    """The columns of an entity in staging and their types as models say them."""
    return {name: rendered_type(kind) for name, kind in columns_of(contract, entity).items()}


def check_corrections(con: duckdb.DuckDBPyConnection, contract: Contract, corrections: tuple[Correction, ...]) -> None:
    """Every correction names columns of its entity, and its SQL is a condition or expression over them alone.

    Raises:
        ContractError: all that is wrong, correction by correction.
    """
    wrong = []
    for correction in corrections:
        columns = columns_of(contract, correction.entity)
        named = (*correction.changed, *correction.matches, *([correction.measure] if correction.measure else ()))
        absent = [name for name in named if name not in columns]
        wrong += [f"{correction.id}: {correction.entity} has no column {name}" for name in absent]
        wrong += [
            f"{correction.id}: {name} says where a row comes from"
            for name in correction.changed
            if name in BATCH_COLUMNS
        ]
        keys = {staged_name(column) for column in find_joining_columns(contract.entities, correction.entity)}
        wrong += [
            f"{correction.id}: rows of other entities are found by {name}"
            for name in correction.changed
            if name in keys
        ]
        if correction.measure in columns and not columns[correction.measure].startswith(NUMERIC):
            wrong.append(f"{correction.id}: {correction.measure} is no number that could be summed")
        if not absent:
            wrong += [f"{correction.id}: {problem}" for problem in _sql_problems(con, correction, columns)]
    given = [
        (correction.entity, name)
        for correction in corrections
        if correction.donors
        for name in correction.donors.columns
    ]
    wrong += [f"{entity}: {name} is imputed twice" for entity, name in sorted({g for g in given if given.count(g) > 1})]
    if wrong:
        raise ContractError(f"corrections/{contract.source}.yml does not fit its entities:\n  " + "\n  ".join(wrong))


def _sql_problems(con: duckdb.DuckDBPyConnection, correction: Correction, columns: dict[str, str]) -> list[str]:
    """What is wrong with a correction's SQL, on an empty table of the entity's columns."""
    expressions.make_table(con, columns)
    classes = [f"({text})" for level in correction.donors.classes for text in level] if correction.donors else []
    values = [] if correction.donors else [_value(correction, name, columns) for name in correction.changed]
    # As written, and then as it is put to use: brackets that are around it there must not make sense of it.
    written = [text for text in (correction.where, *correction.compute.values()) if text]
    written += [text for level in correction.donors.classes for text in level] if correction.donors else []
    try:
        kinds = [
            expressions.kind_of_expression(con, text) for text in (*written, *classes, *values, condition(correction))
        ]
    except ValueError as error:
        return [str(error)]
    return [] if kinds[-1] == "BOOLEAN" else ["`where` is a condition: true or false for each row"]


def condition(correction: Correction) -> str:
    """Which rows of its periods a correction is about, as SQL."""
    if correction.where:
        return f"({correction.where})"
    # Texts in quotes take the column's type, so that values are compared: 9999 is 9999.00.
    parts = (f"{quote(c)} in ({literals([str(v) for v in vs])})" for c, vs in correction.matches.items())
    return f"({' and '.join(parts)})"


def _hits(correction: Correction) -> str:
    periods = _periods(correction)
    return f"coalesce({condition(correction)}, false)" + (f" and ({periods})" if periods else "")


def _periods(correction: Correction) -> str:
    """The periods that a correction is about, as SQL; empty where all are."""
    return " or ".join(f"{{{{ fits_glob('period', {glob!r}) }}}}" for glob in correction.periods)


def _value(correction: Correction, column: str, columns: dict[str, str]) -> str:
    value = "null" if column in correction.missing else correction.compute.get(column, "")
    return f"cast({value or literal(correction.set.get(column))} as {columns[column]})"


def corrected_models(contract: Contract, entity: str, corrections: tuple[Correction, ...]) -> dict[str, str]:
    """The views over `sent_…` of an entity with known errors, by their names: the staging view, and before it
    `edited_…` where values of other records are put in."""
    edits = tuple(correction for correction in corrections if not correction.donors)
    imputations = [(correction, _hits(correction)) for correction in corrections if correction.donors]
    name = f"{contract.source}__{entity}"
    if not imputations:
        return {f"stg_{name}": corrected_sql(contract, entity, edits)}
    return {
        f"edited_{name}": corrected_sql(contract, entity, edits),
        f"stg_{name}": imputed_sql(contract, entity, columns_of(contract, entity), imputations),
    }


def corrected_sql(contract: Contract, entity: str, corrections: tuple[Correction, ...]) -> str:
    """An entity with known errors mended, over the view of what was delivered."""
    columns = _rendered_columns(contract, entity)
    lines = []
    for name in columns:
        whens = [
            f"when {_hits(correction)} then {_value(correction, name, columns)}"
            for correction in corrections
            if name in correction.changed
        ]
        mended = f"case {' '.join(whens)} else {quote(name)} end as {quote(name)}" if whens else quote(name)
        lines.append(f"    {mended}")
    kept = " and ".join(f"not ({_hits(correction)})" for correction in corrections if correction.drop)
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
    empty = [f"cast(null as {rendered_type(kind)}) as {name}" for name, kind in MATCHED_COLUMNS.items()]
    return "select\n    " + ",\n    ".join(empty) + "\nwhere false"


def _describe_matched(contract: Contract, correction: Correction) -> str:
    columns = _rendered_columns(contract, correction.entity)
    hits = _hits(correction)
    differs = (
        " or ".join(f"{quote(c)} is distinct from {_value(correction, c, columns)}" for c in correction.changed)
        or "true"
    )
    return _count_sql(
        correction,
        f"{{{{ ref('sent_{contract.source}__{correction.entity}') }}}}",
        hits,
        differs,
        *_measures(correction, columns, hits),
    )


def _describe_imputed(contract: Contract, correction: Correction) -> str:
    """Of an imputation: edited rows beside what staging makes of them."""
    assert correction.donors is not None
    given, name = correction.donors.columns, f"{contract.source}__{correction.entity}"
    measure = correction.measure or given[0]
    after = ", ".join(
        f"stg.{quote(column)} as {quote('then_' + column)}" for column in dict.fromkeys([*given, measure])
    )
    both = (
        f"(\n    select edited.*, {after}\n    from {{{{ ref('edited_{name}') }}}} as edited\n"
        f"    join {{{{ ref('stg_{name}') }}}} as stg\n"
        "        on edited.batch_id = stg.batch_id and edited.record_no = stg.record_no\n) as rows_of_both"
    )
    differs = " or ".join(f"{quote(c)} is distinct from {quote('then_' + c)}" for c in given)
    measures = []
    for column in (measure, f"then_{measure}"):
        has_value = f"filter (where {has_value_sql(contract, correction.entity, measure, quote(column))})"
        mean = f"round(sum(cast({quote(column)} as decimal(38, 6))) {has_value} / (count(*) {has_value}), 6)"
        measures.append(mean if correction.measure else f"count(*) {has_value}")
    return _count_sql(correction, both, _hits(correction), differs, measures[0], measures[1])


def _count_sql(correction: Correction, relation: str, hits: str, differs: str, before: str, after: str) -> str:
    periods = _periods(correction)
    return "\n".join(
        [
            "select",
            f"    {literal(correction.id)} as correction_id,",
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


def _measures(correction: Correction, columns: dict[str, str], hits: str) -> tuple[str, str]:
    if correction.measure is None:
        return "count(*)", f"count(*) filter (where not ({hits}))" if correction.drop else "count(*)"
    before = f"cast({quote(correction.measure)} as decimal(38, 6))"
    if correction.drop:
        return f"sum({before})", f"sum({before}) filter (where not ({hits}))"
    if correction.measure not in correction.changed:
        return f"sum({before})", f"sum({before})"
    after = f"cast({_value(correction, correction.measure, columns)} as decimal(38, 6))"
    return f"sum({before})", f"sum(case when {hits} then {after} else {before} end)"


def _describe_measures(correction: Correction) -> str:
    """What `measure_before` and `measure_after` are, in words."""
    if correction.donors:
        return f"mean of {correction.measure}" if correction.measure else f"records with {correction.donors.columns[0]}"
    return f"sum of {correction.measure}" if correction.measure else "records"


def correction_row(source: str, correction: Correction, languages: tuple[str, ...]) -> dict[str, str]:
    """A correction as one row of the table `corrections`; lists are separated by blanks."""
    values = (
        correction.id, source, correction.entity, correction.kind, correction.action, 
        " ".join(correction.changed), " ".join(correction.periods), condition(correction),
        _describe_measures(correction), correction.provided_by, correction.status, str(correction.guard.minimum),
        *("" if limit is None else str(limit) for limit in (correction.guard.maximum, correction.guard.maximum_share)),
        correction.guard.severity, *correction.reason.columns("reason", languages).values(),
    )  # fmt: skip
    return dict(zip(correction_header(languages), values, strict=True))


def correction_header(languages: tuple[str, ...]) -> list[str]:
    """Columns of the seed of corrections, in order."""
    return [
        "correction_id", "source", "entity", "kind", "action", "columns_changed", "periods", "condition", "measure",
        "provided_by", "status", "expected_minimum", "expected_maximum", "maximum_share", "severity",
        *(f"reason_{language}" for language in languages),
    ]  # fmt: skip
