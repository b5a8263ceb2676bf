"""Tables of a build and of a release: listing, copying, writing them as Parquet."""

import re
from collections.abc import Callable
from pathlib import Path

import duckdb

from hims_pipeline.sql import literal, quote

PUBLIC_SCHEMAS = ("published", "reference")
STAFF_SCHEMAS = ("published", "reference", "conformed", "indicators")
# The pseudonym of a person in all registers: a table that has it joins registers, and stays apart, with the pipeline.
LINKING = "study_id"
LARGE = 1_000_000  # rows from which on a table's turn is told
STORAGE_VERSION = "v1.2.0"  # set, or files of a newer DuckDB could not be read by an analyst's older one


def tables(con: duckdb.DuckDBPyConnection, database: str, schemas: tuple[str, ...]) -> list[tuple[str, str]]:
    """(schema, table) of the base tables, in order."""
    listed = ", ".join(literal(schema) for schema in schemas)
    rows: list[tuple[str, str]] = con.execute(
        "select schema_name, table_name from duckdb_tables()"
        f" where database_name = {literal(database)} and schema_name in ({listed}) order by all"
    ).fetchall()
    return rows


def linking_tables(con: duckdb.DuckDBPyConnection, database: str) -> set[tuple[str, str]]:
    """(schema, table) of what joins the pseudonyms of registers; no release holds it."""
    rows = con.execute(
        "select distinct schema_name, table_name from duckdb_columns() where database_name = ? and column_name = ?",
        [database, LINKING],
    )
    return set(rows.fetchall())


def views(con: duckdb.DuckDBPyConnection, database: str, schemas: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """(schema, view, SQL) by name."""
    listed = ", ".join(literal(schema) for schema in schemas)
    rows: list[tuple[str, str, str]] = con.execute(
        "select schema_name, view_name, sql from duckdb_views()"
        f" where database_name = {literal(database)} and not internal and schema_name in ({listed}) order by all"
    ).fetchall()
    return rows


def is_large(con: duckdb.DuckDBPyConnection, schema: str, table: str, database: str) -> bool:
    """Does a table take long enough to be told of?"""
    rows = con.execute(
        "select estimated_size from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
        [database, schema, table],
    ).fetchall()
    exceeds: bool = rows[0][0] >= LARGE
    return exceeds


def copy_schemas(
    con: duckdb.DuckDBPyConnection, build: Path, target: Path, schemas: tuple[str, ...], log: Callable[[str], None]
) -> None:
    """Copy schemas of the build into a new database file, without what joins registers; views lose the build's name and
    follow the new file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"attach {literal(build)} as built (read_only)")
    con.execute(f"attach {literal(target)} as packed (storage_version {literal(STORAGE_VERSION)})")
    for schema in schemas:
        con.execute(f"create schema packed.{quote(schema)}")
    apart = linking_tables(con, "built")
    for schema, table in tables(con, "built", schemas):
        if (schema, table) in apart:
            continue
        name = f"{quote(schema)}.{quote(table)}"
        if is_large(con, schema, table, "built"):
            log(f"packing {schema}.{table}")
        con.execute(f"create table packed.{name} as from built.{name}")
    made = views(con, "built", schemas)
    named = re.compile(rf'(?:"?{build.stem}"?|built)\.(?="?(?:{"|".join(schemas)})"?\.)')
    con.execute("use packed")
    _create_views(con, [named.sub("", sql) for _, _, sql in made])
    con.execute("use memory")
    con.execute("checkpoint packed")
    con.execute("detach packed")
    con.execute("detach built")


def _create_views(con: duckdb.DuckDBPyConnection, statements: list[str]) -> None:
    """Create views that may read one another, whatever order the catalogue lists them in."""
    while statements:
        waiting = []
        for sql in statements:
            try:
                con.execute(sql)
            except duckdb.CatalogException:
                waiting.append(sql)
        if len(waiting) == len(statements):
            con.execute(waiting[0])  # no view can be made any more: raise the reason
        statements = waiting


def export_parquet(con: duckdb.DuckDBPyConnection, database: Path, folder: Path, schema: str) -> dict[str, int]:
    """Write every table of a schema as Parquet, in the order in which dbt built it; returns the rows of each."""
    folder.mkdir(parents=True, exist_ok=True)
    con.execute(f"attach {literal(database)} as packed (read_only)")
    con.execute("use packed")
    written = {}
    for _, table in tables(con, "packed", (schema,)):
        target = folder / f"{table}.parquet"
        con.execute(f"copy {quote(schema)}.{quote(table)} to {literal(target)} (format parquet, compression zstd)")
        written[table] = con.execute(f"select count(*) from {quote(schema)}.{quote(table)}").fetchall()[0][0]
    con.execute("use memory")
    con.execute("detach packed")
    return written
