"""Identifiers in columns that are not declared as such: looked for in what was read, before it leaves the closed zone.

In open text any shape of `data/identifier_shapes.csv` and the number of anybody in the delivery refuse it; the contract
may say of a column that a shape names nobody there (`may_hold`). Text that is said to come from a list must look so:
where most rows have a value of their own, these are names. In text that a pattern closes, whose numbers are as long as
a person's may be, the numbers of the same row's person are looked for, in a sample of large files. Values are counted
and never told. Not here: how a number is recognised (`privacy.identifier_search`).
"""

import re
from collections.abc import Mapping, Sequence

import duckdb

from hims_pipeline.contracts.columns import Column
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.privacy.identifier_search import (
    KNOWN,
    SHORTEST,
    Hit,
    IdentifierShape,
    Known,
    find_identifiers,
    load_identifier_shapes,
    load_known,
)
from hims_pipeline.privacy.keys import Key
from hims_pipeline.privacy.pseudonym import normalise_sql, pseudonym
from hims_pipeline.readers.findings import block
from hims_pipeline.readers.shape import TableShape as Layout
from hims_pipeline.readers.typing.write import LINE
from hims_pipeline.settings import Settings
from hims_pipeline.sql import ParquetFiles, connection, literal, quote, read_parquet
from hims_pipeline.words import Words, our_text, words

LIKE_NAMES = "EACH_ITS_OWN"  # what the contract calls it in `may_hold`, beside the shapes
FEWEST = 20  # rows that tell a list from names
SAMPLE_ROWS = 200_000  # of the rows whose numbers are compared with the row's own person


def find_undeclared(
    settings: Settings, source: str, layouts: dict[str, Layout], tables: Mapping[str, ParquetFiles], key: Key | None
) -> list[Finding]:
    """One finding a column that holds identifiers.

    Args:
        tables: entity -> its Parquet files as they were read, inside the closed zone.
    """
    watched = {
        name: [column for column in layouts[name].columns if column.is_open_text or _is_numbered(column)]
        for name in tables
    }
    if not any(watched.values()):
        return []
    listed, findings = load_identifier_shapes(settings.data), []
    with connection(settings) as con:
        known = _read_known(con, source, layouts, tables, key)
        for name, files in tables.items():
            layout, table = layouts[name], read_parquet(files)
            hits = _find_in_open_text(con, table, watched[name], listed, known)
            if known is not None:
                hits |= _find_in_own_row(con, layout, table, watched[name], known)
            findings += [
                _finding(layout, column, hits[column.name]) for column in watched[name] if hits.get(column.name)
            ]
    return findings


def _is_numbered(column: Column) -> bool:
    """Is this text that a pattern closes, with digits in it, so that a person's number may fit?"""
    closed = column.type == "text" and column.pattern and not (column.codes or column.crosswalk)
    return bool(closed) and column.sensitivity not in ("identifier", "free_text") and "[" in (column.pattern or "")


def _read_known(
    con: duckdb.DuckDBPyConnection,
    source: str,
    layouts: dict[str, Layout],
    tables: Mapping[str, ParquetFiles],
    key: Key | None,
) -> Known | None:
    """Everybody who stands in the delivery."""
    if key is None:
        return None
    return load_known(
        con,
        key,
        [
            (column.domain or source, f"select {quote(column.name)} from {read_parquet(files)}")
            for name, files in tables.items()
            for column in layouts[name].columns
            if column.sensitivity == "identifier"
        ],
    )


def _find_in_open_text(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[Column],
    listed: Sequence[IdentifierShape],
    known: Known | None,
) -> dict[str, list[Hit]]:
    chosen = [column for column in columns if column.is_open_text]
    values = " union all ".join(
        f"select {literal(column.name)} as place, {quote(column.name)} as value, count(*) as n, min({LINE}) as line "
        f"from {table} where {quote(column.name)} is not null group by all"
        for column in chosen
    )
    identifiers = find_identifiers(con, values, listed, known) if chosen else {}
    for column in chosen:
        if column.open_text and (own_values := _count_unique_rows(con, table, column.name)):
            identifiers.setdefault(column.name, []).append(Hit(LIKE_NAMES, own_values, ()))
    return {
        column.name: [hit for hit in identifiers.get(column.name, ()) if hit.what not in column.may_hold]
        for column in chosen
    }


def _count_unique_rows(con: duckdb.DuckDBPyConnection, table: str, name: str) -> int:
    """How many rows have a value that no other has, where most have; 0 otherwise."""
    once = f"select count(*) as n from {table} where {quote(name)} is not null group by {quote(name)}"
    [(rows, alone)] = con.execute(f"select sum(n), count(*) filter (n = 1) from ({once})").fetchall()
    return alone if (rows or 0) >= FEWEST and alone > rows / 2 else 0


def _find_in_own_row(
    con: duckdb.DuckDBPyConnection, layout: Layout, table: str, columns: list[Column], known: Known
) -> dict[str, list[Hit]]:
    """Rows in which a closed column repeats the number of the row's own person; chance does so once in millions."""
    persons = [one for one in layout.columns if one.sensitivity == "identifier"]
    hits: dict[str, list[Hit]] = {}
    for column in columns if persons else ():
        if column.is_open_text:
            continue
        text, domains = normalise_sql(quote(column.name)), list(known.domains)
        same = [
            f"{pseudonym('v', domains, person.domain or layout.source)} = {quote(person.name)}" for person in persons
        ]
        [(rows,)] = con.execute(f"select count(*) from {table}").fetchall()
        chosen = f"select *, {text} as v from {table} where {LINE} % {max(1, rows // SAMPLE_ROWS)} = 0"
        [(count, lines)] = con.execute(
            f"select count(*), min({LINE}, 5) from ({chosen}) where length(v) >= {SHORTEST} and ({' or '.join(same)})"
        ).fetchall()
        if count > rows / 1_000_000:
            hits[column.name] = [Hit(KNOWN, count, tuple(lines))]
    return hits


def _finding(layout: Layout, column: Column, hits: list[Hit]) -> Finding:
    kinds = [hit.what for hit in hits]
    return block(
        _rule(layout.source, layout.name, column.name),
        _like_names() if kinds == [LIKE_NAMES] else _name_kinds(", ".join(kinds)),
        entity=layout.name,
        column=column.name,
        count=max(hit.rows for hit in hits),
        lines=tuple(sorted({line for hit in hits for line in hit.lines})[:5]),
    )


def _name_kinds(kinds: str) -> Words:
    return words(
        "values that name somebody ({kinds}) stand in a column that is not declared as an identifier. Remove them at "
        "the source, or have the contract call the column `identifier` or `free_text`; where such values name nobody, "
        "the contract may say so (`may_hold`)",
        kinds=our_text(kinds),
    )


def _like_names() -> Words:
    return words(
        "most rows have a value of their own, as names do, and values of a list do not. Remove at the source what is "
        "typed, or have the contract call the column `free_text`; where such values name nobody, the contract may say "
        "so (`may_hold`, EACH_ITS_OWN)"
    )


def _rule(*parts: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", "-".join([*parts, "IDENTIFIERS"]).upper()).strip("-")
