"""What a database file holds: its tables and views, with a hash of each table's content.

The hash is the sum of DuckDB's 64-bit hashes of the rows, beside their number: equal for equal rows in any order, with
every value of every column read, at the speed of a scan. It finds what changed by accident; somebody who means to can
make two tables that share it. Against that stand the SHA-256 of the file and the seals of our records. It is one of a
version of DuckDB, and compared within one alone.
"""

from dataclasses import dataclass
from typing import Any

from hims_pipeline.sql import quote

# Views over parts, so that one part may change without the other, which are tables in the public file.
ASSEMBLED = frozenset({("published", "indicator_series"), ("published", "indicator_observation")})


@dataclass(frozen=True)
class Content:
    """The rows of a relation, and a hash of them that does not depend on their order."""

    rows: int
    content_hash: str


def content_of(con: Any, schema: str, table: str, database: str | None = None) -> Content:
    """Number and hash of a relation's rows; the hash in hexadecimal, since twenty digits may be somebody's account."""
    name = ".".join(quote(part) for part in (database, schema, table) if part)
    rows, total = con.execute(f"select count(*), coalesce(sum(hash(t)), 0)::hugeint from {name} as t").fetchall()[0]
    return Content(rows, f"0x{total:x}")


def relations(con: Any, database: str) -> dict[tuple[str, str], bool]:
    """(schema, name) of every table and view of ours -> whether it is a view."""
    rows = con.execute(
        "select schema_name, table_name, false from duckdb_tables() where database_name = $1 and not internal "
        "union all "
        "select schema_name, view_name, true from duckdb_views() where database_name = $1 and not internal",
        [database],
    ).fetchall()
    return {(schema, name): is_view for schema, name, is_view in rows}
