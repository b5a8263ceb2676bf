"""The SQL of imputation by donors: `edited_<source>__<entity>` has known errors mended, and in `stg_<source>__<entity>`
stand values of other records where the edited one has none that can be used. Its column `imputed_columns` names those
that a record has from a donor.

Not here: corrections and edits, which read the row as delivered (`hims_pipeline.staging.corrections`). An imputation
reads the edited row, so that what an edit took out can be filled.

The draw hangs on the imputation's name, the period and the place of a record in its file, and on nothing else: every
build of the same batch gives each record the same donor.
"""

from collections.abc import Iterable

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.corrections import Correction
from hims_pipeline.contracts.model import Contract
from hims_pipeline.sql import literal, quote
from hims_pipeline.staging.names import IMPUTED, staged_name


def has_value_sql(contract: Contract, entity: str, column: str, name: str) -> str:
    """Does a staged column hold a value, and nothing that its layout calls missing? `name` is it in SQL."""
    whens = []
    for layout in contract.layouts:
        columns = contract.entity_in(entity, layout.known_periods[0]).columns
        whens.append(f"when layout = {literal(layout.name)} then {_is_value(name, column, columns)}")
    plain = _is_value(name, column, contract.entities[entity].columns)
    return f"(case {' '.join(whens)} else {plain} end)" if whens else f"({plain})"


def _is_value(name: str, column: str, columns: tuple[Column, ...]) -> str:
    lies = next((c.absent.condition(name) for c in columns if staged_name(c.name) == column), "")
    return f"{name} is not null" + (f" and not ({lies})" if lies else "")


def imputed_sql(
    contract: Contract, entity: str, names: Iterable[str], imputations: list[tuple[Correction, str]]
) -> str:
    """The staging view of an entity over its edited rows.

    Args:
        names: of the entity's columns in staging, in order.
        imputations: each with the SQL condition of the rows that want a value.
    """
    steps, joins, taken = [], [], []
    columns = {name: f"edited.{quote(name)}" for name in names}
    for number, (one, hits) in enumerate(imputations, 1):
        steps += _steps(contract, entity, one, hits, f"i{number}")
        joins.append(
            f"left join i{number} on edited.batch_id = i{number}.batch_id and edited.record_no = i{number}.record_no"
        )
        assert one.donors is not None
        for name in one.donors.columns:
            columns[name] = f"coalesce(i{number}.{quote(name)}, edited.{quote(name)}) as {quote(name)}"
            taken.append(f"case when i{number}.{quote(name)} is not null then {literal(name)} end")
    edited = f"edited as (\n    select * from {{{{ ref('edited_{contract.source}__{entity}') }}}}\n)"
    return "\n".join(
        [
            "with " + ",\n\n".join([edited, *steps]),
            "",
            "select",
            *(f"    {column}," for column in columns.values()),
            f"    nullif(concat_ws(' ', {', '.join(taken)}), '') as {IMPUTED}",
            "from edited",
            *joins,
        ]
    )


def _steps(contract: Contract, entity: str, correction: Correction, hits: str, name: str) -> list[str]:
    """Who wants a value and who could give one; for each list of classes how many donors there are and whose turn it
    is; at the end `name`, one row a record that found a donor."""
    assert correction.donors is not None
    given = correction.donors.columns
    can_give = " and ".join(has_value_sql(contract, entity, column, quote(column)) for column in given)
    levels = [
        [f"c{level}_{place}" for place in range(len(exprs))] for level, exprs in enumerate(correction.donors.classes)
    ]
    classes = [
        f"{expression} as c{level}_{place}"
        for level, exprs in enumerate(correction.donors.classes)
        for place, expression in enumerate(exprs)
    ]
    key = f"{literal(correction.id)} || '/' || period || '/' || record_no"
    lot = f"{{{{ md5_number({key!r}) }}}} as lot"
    columns = ["batch_id", "record_no", *map(quote, given), *classes, lot]
    wanting = ["batch_id", "record_no", *(c for level in levels for c in level)]
    turns = [f"{_turn(level)} as turn_{number}" for number, level in enumerate(levels)]
    parts = [
        f"{name}_records as (\n    select {', '.join(columns)},\n"
        f"        {hits} as is_wanting, not ({hits}) and {can_give} as is_donor\n    from edited\n)",
        f"{name}_wanting as (\n    select {', '.join([*wanting, *turns])}\n    from {name}_records\n"
        "    where is_wanting\n)",
    ]
    for number, level in enumerate(levels):
        kept = ", ".join(["batch_id", *level])
        parts += [
            f"{name}_donors_{number} as (\n    select {kept}, {', '.join(map(quote, given))}, {_turn(level)} as turn\n"
            f"    from {name}_records\n    where is_donor\n)",
            f"{name}_sizes_{number} as (\n    select {kept}, count(*) as donors from {name}_donors_{number}\n"
            f"    group by {kept}\n)",
        ]
    return [*parts, _found_sql(name, levels, given)]


def _turn(level: list[str]) -> str:
    return f"row_number() over (partition by {', '.join(['batch_id', *level])} order by lot, record_no)"


def _found_sql(name: str, levels: list[list[str]], given: tuple[str, ...]) -> str:
    joins = []
    for number, level in enumerate(levels):
        sizes, donors = f"{name}_sizes_{number}", f"{name}_donors_{number}"
        agree = " ".join(f"and wanting.{c} is not distinct from {{0}}.{c}" for c in level)
        joins += [
            f"left join {sizes} on wanting.batch_id = {sizes}.batch_id {agree.format(sizes)}",
            f"left join {donors} on wanting.batch_id = {donors}.batch_id {agree.format(donors)} "
            f"and {donors}.turn = (wanting.turn_{number} - 1) % {sizes}.donors + 1",
        ]
    picked = []
    for column in map(quote, given):
        whens = " ".join(
            f"when {name}_donors_{number}.turn is not null then {name}_donors_{number}.{column}"
            for number in range(len(levels))
        )
        picked.append(f"case {whens} end as {column}")
    joined = "\n    ".join(joins)
    return (
        f"{name} as (\n    select wanting.batch_id, wanting.record_no, {', '.join(picked)}\n"
        f"    from {name}_wanting as wanting\n    {joined}\n)"
    )
