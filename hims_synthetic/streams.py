"""Random numbers that are the same for the same seed, the recipe's tables that SQL reads, and writing of files.

A number comes from DuckDB's `hash` over the index, mixed with a constant of stream and seed: 20 million of them take
half a second, where md5 takes half a minute. `hash(i, 'a')` and `hash(i, 'b')` share low bits; the constant goes into
the index before it is hashed (as in `hash(i * 64 + s)`), and two streams show no correlation. The function belongs to
the DuckDB version of the lock file: with another version the same seed may give other bytes.
"""

from pathlib import Path

import duckdb

from hims_pipeline.sql import literal, literals
from hims_synthetic.recipe import Recipe

MARK = "SYNTHETIC"
HOME = "TUN"  # the country of the recipe; the only place that says so


def load_streams(con: duckdb.DuckDBPyConnection, recipe: Recipe, seed: int) -> None:
    """Make the macro `u(stream, i)`, uniform in [0, 1) for i >= 0, and the tables `names` and `nationalities`."""
    con.execute(
        "create macro u(stream, i) as"
        f" (hash(xor(cast(i as ubigint), hash(stream || ':{int(seed)}'))) >> 11) / 9007199254740992.0"
    )
    for name in ("names", "nationalities"):
        rows = recipe.tables[name]
        values = ", ".join(f"({n}, {literals(list(row.values()))})" for n, row in enumerate(rows, 1))
        con.execute(f"create table {name} as select * from (values {values}) as t(n, {', '.join(rows[0])})")
    con.execute(
        "create or replace table names as"
        " select part, row_number() over (partition by part order by n) - 1 as no, latin, arabic, n from names"
    )
    con.execute(
        "create or replace table nationalities as select * replace ("
        + ", ".join(
            f"cast({name} as double) as {name}"
            for name in recipe.tables["nationalities"][0]
            if name not in ("country", "code_2014", "m49")
        )
        + ") from nationalities"
    )


def write_csv(
    con: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    delimiter: str = ",",
    encoding: str = "utf-8",
    header: bool = True,
) -> Path:
    """Write a query's rows, in its order, as one delimited file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = f"format csv, header {str(header).lower()}, delimiter {literal(delimiter)}"
    con.execute(f"copy ({query}) to {literal(path)} ({form})")
    if encoding != "utf-8":
        recoded = path.with_name(path.name + ".recoded")
        with path.open(encoding="utf-8", newline="") as source, recoded.open("w", encoding=encoding, newline="") as to:
            while block := source.read(1 << 24):
                to.write(block)
        recoded.replace(path)
    return path
