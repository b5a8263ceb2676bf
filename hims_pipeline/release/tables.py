"""Tables of a build and of a release: listing, copying, writing them as Parquet."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from hims_pipeline.carry.content import ASSEMBLED
from hims_pipeline.errors import ReleaseError
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


def linking_relations(con: duckdb.DuckDBPyConnection, database: str) -> set[tuple[str, str]]:
    """(schema, table or view) of what joins the pseudonyms of registers; no release holds it."""
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
    """Copy schemas of the build into a new database file, row by row: no block of it has held anything else. Views lose
    the build's name and follow the new file; those over parts become the tables that they stand for."""
    target.parent.mkdir(parents=True, exist_ok=True)
    built = build.stem  # the name by which its views know it
    con.execute(f"attach {literal(build)} as {quote(built)} (read_only)")
    con.execute(f"attach {literal(target)} as packed (storage_version {literal(STORAGE_VERSION)})")
    for schema in schemas:
        con.execute(f"create schema packed.{quote(schema)}")
    copied = tables(con, built, schemas)
    made = views(con, built, schemas)
    for schema, table in sorted([*copied, *(view[:2] for view in made if view[:2] in ASSEMBLED)]):
        name = f"{quote(schema)}.{quote(table)}"
        if (schema, table) in ASSEMBLED or is_large(con, schema, table, built):
            log(f"packing {schema}.{table}")
        con.execute(f"create table packed.{name} as from {quote(built)}.{name}")
    _create_views(con, [_drop_name(sql, (built,), schemas) for *view, sql in made if tuple(view) not in ASSEMBLED])
    con.execute("checkpoint packed")
    con.execute("detach packed")
    con.execute(f"detach {quote(built)}")


def copy_for_staff(con: duckdb.DuckDBPyConnection, build: Path, target: Path, schemas: tuple[str, ...]) -> None:
    """Copy the build's file, for staff, and drop the schemas that are not asked for, and what joins registers. Both are
    views: the rows of a dropped table would stay in the file's blocks. Views lose the build's name.

    Raises:
        ReleaseError: a table would have to be dropped.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(build, target)
    con.execute(f"attach {literal(target)} as packed")
    here = {row[0] for row in con.execute(
        "select schema_name from duckdb_schemas() where database_name = 'packed' and not internal"
    ).fetchall()}  # fmt: skip
    others = here - {*schemas, "main"}
    apart = {(schema, name) for schema, name in linking_relations(con, "packed") if schema not in others}
    if kept := {*tables(con, "packed", tuple(others)), *(apart & {*tables(con, "packed", schemas)})}:
        raise ReleaseError(f"Tables that may not leave lie in the build's file: {', '.join(map('.'.join, kept))}.")
    made = [one for one in views(con, "packed", schemas) if one[:2] not in apart]
    for schema, name, _ in views(con, "packed", schemas):
        con.execute(f"drop view packed.{quote(schema)}.{quote(name)}")
    for schema in others:
        con.execute(f"drop schema packed.{quote(schema)} cascade")
    _create_views(con, [_drop_name(sql, (build.stem, "packed"), schemas) for _, _, sql in made])
    con.execute("checkpoint packed")
    con.execute("detach packed")


def _drop_name(sql: str, databases: tuple[str, ...], schemas: tuple[str, ...]) -> str:
    """A view's SQL that names its tables by schema alone."""
    names, inside = ("|".join(one) for one in (databases, schemas))
    return re.sub(rf'"?(?:{names})"?\.(?="?(?:{inside})"?\.)', "", sql)


def _create_views(con: duckdb.DuckDBPyConnection, statements: list[str]) -> None:
    """Create views of `packed` that may read one another, whatever order the catalogue lists them in."""
    con.execute("use packed")
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
    con.execute("use memory")


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
