"""From parts of texts to the entity's Parquet files, one a part: types checked, identifiers replaced, rows in the order
sent. A part is a fixed number of records and written by one thread, so the same input gives the same bytes.

The quick way stops at the first value that does not fit; what to tell the deliverer then is found by `type_errors`.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.missing import FLAG_SUFFIX, MISSING_SUFFIX
from hims_pipeline.lake.batches import PartFile
from hims_pipeline.lake.files import sha256_of, sync
from hims_pipeline.privacy.keys import Key
from hims_pipeline.privacy.pseudonym import install
from hims_pipeline.readers.shape import TableShape
from hims_pipeline.readers.typing.lexical import MISFIT, Typing, typing_of
from hims_pipeline.readers.typing.parts import TextPart, run_in_parallel
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, quote

LINE = "_line"
# Version 2 encodes numbers as differences: a third smaller than version 1 and written a tenth faster; Zstandard saves
# another sixth but costs a fifth of the time.
PARQUET = "format parquet, parquet_version v2, compression snappy"
Log = Callable[[str], None]


@dataclass(frozen=True)
class EntityPlan:
    """The SQL of one entity: its typings in the order of the shape's columns, and the key domains they use.

    `linking` are the places of the columns by which registers are joined.
    """

    shape: TableShape
    typings: tuple[Typing, ...]
    domains: tuple[str, ...]
    key: Key | None
    linking: tuple[int, ...] = ()

    def prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        if self.key is not None:
            install(con, self.key, list(self.domains))

    def domain_of(self, column: Column) -> str:
        return column.domain or self.shape.source


def link_domain(key: str) -> str:
    """The key domain of a kind of number; no contract can name it, since names hold no colon."""
    return f"link:{key}"


def plan_entity(shape: TableShape, key: Key | None) -> EntityPlan:
    """How an entity is typed, and under which domains its identifiers become pseudonyms."""
    identifiers = [column for column in shape.columns if column.sensitivity == "identifier"]
    own = [column.domain or shape.source for column in identifiers]
    shared = [link_domain(column.links) for column in identifiers if column.links]
    domains = tuple(dict.fromkeys([*own, *shared]))
    typings = tuple(
        typing_of(
            column, number, shape.format, domains, column.domain or shape.source,
            tells_rows=column.name in shape.entity.telling_columns,
        )
        for number, column in enumerate(shape.columns)
    )  # fmt: skip
    linking = tuple(number for number, column in enumerate(shape.columns) if column.links)
    return EntityPlan(shape, typings, domains, key if domains else None, linking)


def typed_relation(typings: Sequence[Typing], part: TextPart) -> str:
    """SQL: the texts of a part, their casts `v…` and what these print as `p…`, and the record number."""
    values = [f"{one.value} as v{number}" for number, one in enumerate(typings) if one.value]
    printed = [f"{one.printed} as p{number}" for number, one in enumerate(typings) if one.printed]
    numbered = f"select *, {part.number} as {LINE} from ({part.relation})"
    if split := {number: one.split for number, one in enumerate(typings) if one.split is not None}:
        taken = ", ".join(f"{one.value} as t{number}" for number, one in split.items())
        beside = [f"{one.reason} as m{number}" for number, one in split.items() if one.reason]
        beside += [f"{one.flag} as g{number}" for number, one in split.items() if one.flag]
        numbered = f"select {', '.join([f'* replace ({taken})', *beside])} from ({numbered})"
    return f"select {', '.join(['*', *printed])} from (select {', '.join(['*', *values])} from ({numbered}))"


def stored_columns(plan: EntityPlan, strict: bool) -> str:
    """SQL: the columns as they are stored; a misfit is an error where `strict`, otherwise NULL."""
    columns = []
    for number, (typing, column) in enumerate(zip(plan.typings, plan.shape.columns, strict=True)):
        otherwise = f"error({literal(MISFIT)})::{typing.sql_type}" if strict else f"null::{typing.sql_type}"
        columns.append(f"({typing.stored_sql(otherwise)})::{typing.sql_type} as {quote(column.name)}")
        if typing.split is not None and typing.split.reason:
            columns.append(f"m{number}::varchar as {quote(column.name + MISSING_SUFFIX)}")
        if typing.split is not None and typing.split.flag:
            columns.append(f"g{number}::varchar as {quote(column.name + FLAG_SUFFIX)}")
    return ", ".join([*columns, LINE])


def write_typed(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    plan: EntityPlan,
    parts: Sequence[TextPart],
    target: Path,
    log: Log = lambda text: None,
    only: str = "",
) -> tuple[PartFile, ...]:
    """Write all rows (those that the SQL condition `only` keeps) as Parquet, durable when it returns.

    Args:
        target: the file; of several parts each is a file beside it, `<stem>-000000.parquet` and so on.

    Returns:
        The files in the order of their rows.

    Raises:
        duckdb.Error: a value does not fit (`is_misfit`), the text cannot be split, or DuckDB itself failed.
    """
    files = [target.with_name(f"{target.stem}-{number:06d}.parquet") for number in range(len(parts))]
    files = files if len(files) > 1 else [target]
    columns = stored_columns(plan, strict=not only)
    tasks = [
        f"copy (select {columns} from ({typed_relation(plan.typings, part)}){f' where {only}' if only else ''}) "
        f"to {literal(file)} ({PARQUET})"
        for part, file in zip(parts, files, strict=True)
    ]
    begun = last_told = time.monotonic()

    def note_done(count: int) -> None:
        nonlocal last_told
        if time.monotonic() - last_told > 5:
            last_told = time.monotonic()
            log(f"{target.stem}: part {count} of {len(tasks)} typed, {last_told - begun:.0f} s")

    counted = run_in_parallel(settings, con, tasks, plan.prepare, note_done)
    with ThreadPoolExecutor(settings.threads) as pool:
        hashes = list(pool.map(_hash_durable, files))
    sync(target.parent)
    return tuple(
        PartFile(file.name, rows, file.stat().st_size, sha256)
        for file, [(rows,)], sha256 in zip(files, counted, hashes, strict=True)
    )


def _hash_durable(file: Path) -> str:
    sync(file)
    return sha256_of(file)


def is_misfit(error: Exception) -> bool:
    """Did a statement of ours stop at a value that does not fit, or at something else?"""
    return MISFIT in str(error)
