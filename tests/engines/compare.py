"""Tables that Spark left as Parquet beside those of a DuckDB file: keys, counts, decimals and text equal, floating
point to 1e-9 of its size.

`python -m tests.engines.compare WAREHOUSE TABLES` tells every difference. Not here: who builds.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from hims_pipeline.spark import STORED
from hims_pipeline.sql import MISTAKEN, literal, quote

LAYERS = ("reference", "conformed", "indicators", "published")
RELATIVE = 1e-9


@contextmanager
def open_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a file of dbt's, under the name by which its views know it."""
    with duckdb.connect(config=MISTAKEN) as con:
        con.execute(f"attach {literal(str(path))} as warehouse (read_only); use warehouse")
        yield con


def list_tables(warehouse: Path, tables: Path) -> tuple[set[str], set[str]]:
    """`schema.table` of each layer in the DuckDB file, views among them, and among Spark's."""
    with open_warehouse(warehouse) as con:
        own = (
            con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            + con.execute("select schema_name, view_name from duckdb_views()").fetchall()
        )
    return (
        {f"{schema}.{table}" for schema, table in own if schema in LAYERS},
        {f"{path.parent.stem}.{path.name}" for layer in LAYERS for path in (tables / f"{layer}.db").glob("*")},
    )


def find_differences(con: duckdb.DuckDBPyConnection, name: str, rows: str) -> list[str]:
    """What differs between a table of both engines.

    Args:
        con: to DuckDB's file.
        name: `schema.table`.
        rows: SQL of the relation that stands beside it.
    """
    own, other = (
        {column: kind for column, kind, *_ in con.execute(f"describe select * from {place}").fetchall()}
        for place in (name, rows)
    )
    if list(own) != list(other):
        return [f"columns: {sorted(set(own) ^ set(other)) or 'in another order'}"]
    told = [
        f"{column}: {kind} in DuckDB, {other[column]} on Spark"
        for column, kind in own.items()
        if other[column] not in (kind, STORED.get(kind, kind))
    ]
    floats = [column for column, kind in own.items() if kind in ("DOUBLE", "FLOAT")]
    exact = [quote(column) for column in own if column not in floats]
    as_own = ", ".join(f"cast({quote(column)} as {kind}) as {quote(column)}" for column, kind in own.items())
    con.execute(f"create or replace temp table spark_rows as select {as_own} from {rows}")
    counts = [con.execute(f"select count(*) from {place}").fetchall()[0][0] for place in (name, "spark_rows")]
    if counts[0] != counts[1]:
        told.append(f"{counts[0]} rows in DuckDB, {counts[1]} on Spark")
    for here, there, whose in ((name, "spark_rows", "DuckDB"), ("spark_rows", name, "Spark")):
        columns = ", ".join(exact)
        alone = f"select {columns} from {here} except all select {columns} from {there}"
        if exact and (rows := con.execute(f"select count(*) from ({alone})").fetchall()[0][0]):
            told.append(f"{rows} rows of {whose} alone: {_columns_that_differ(con, name, exact)}")
            return told
    if floats and counts[0] == counts[1]:
        told += _compare_floats(con, name, exact, floats)
    return told


def _columns_that_differ(con: duckdb.DuckDBPyConnection, name: str, exact: list[str]) -> str:
    """Columns whose values, taken alone, are not the same."""
    return ", ".join(
        column
        for column in exact
        if con.execute(
            f"select count(*) from (select {column} from {name} except all select {column} from spark_rows)"
        ).fetchall()[0][0]
    )


def _compare_floats(con: duckdb.DuckDBPyConnection, name: str, exact: list[str], floats: list[str]) -> list[str]:
    quoted = [quote(column) for column in floats]
    order = ", ".join([*exact, *quoted])
    numbered = f"select {', '.join(quoted)}, row_number() over (order by {order}) as place from"
    apart = ", ".join(
        f"count(*) filter (where not coalesce(own.{c} = other.{c} or abs(own.{c} - other.{c}) <= "
        f"{RELATIVE} * greatest(abs(own.{c}), abs(other.{c})), own.{c} is null and other.{c} is null))"
        for c in quoted
    )
    found = con.execute(
        f"select {apart} from ({numbered} {name}) as own join ({numbered} spark_rows) as other using (place)"
    ).fetchall()[0]
    return [f"{column}: {rows} rows beyond {RELATIVE}" for column, rows in zip(floats, found, strict=True) if rows]


def compare_tables(warehouse: Path, tables: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Tables that both engines have, and of those that differ how."""
    own, other = list_tables(warehouse, tables)
    both = sorted(own & other)
    with open_warehouse(warehouse) as con:
        told = {name: find_differences(con, name, _parquet(tables, name)) for name in both}
    return both, {name: texts for name, texts in told.items() if texts}


def _parquet(tables: Path, name: str) -> str:
    schema, table = name.split(".")
    return f"read_parquet({literal(str(tables / f'{schema}.db' / table / '*.parquet'))})"


def compare_files(warehouse: Path, other: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Tables of a DuckDB file that another one has too, and of those that differ how."""
    with open_warehouse(warehouse) as con:
        con.execute(f"attach {literal(str(other))} as other (read_only)")
        found = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name in ('warehouse', 'other') group by all having count(*) = 2 order by all"
        ).fetchall()
        both = [name for (name,) in found if name.split(".")[0] in LAYERS]
        told = {name: find_differences(con, name, f"other.{name}") for name in both}
    return both, {name: texts for name, texts in told.items() if texts}


if __name__ == "__main__":
    both, different = compare_tables(Path(sys.argv[1]), Path(sys.argv[2]))
    own, other = list_tables(Path(sys.argv[1]), Path(sys.argv[2]))
    for name, texts in different.items():
        print(f"{name}:\n  " + "\n  ".join(texts))
    print(
        f"{len(both)} tables on both engines, {len(both) - len(different)} equal; "
        f"{len(own - other)} of DuckDB alone, {len(other - own)} of Spark alone"
    )
    sys.exit(1 if different else 0)
