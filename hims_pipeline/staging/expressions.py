"""SQL that people write into records of `data/`: one expression over the columns of one table, held to that by DuckDB's
own parser. Not here: what such an expression is for (`corrections.py`, `indicators.py`)."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from hims_pipeline.sql import quote

JINJA = ("{{", "{%", "{#")  # dbt would read these first
ELSEWHERE = ("SUBQUERY", "STAR", "WINDOW")  # classes of DuckDB's tree that say more than one row's own columns


def make_table(con: duckdb.DuckDBPyConnection, columns: dict[str, str]) -> None:
    """An empty table `record` of these columns and types, which `kind_of_expression` tries expressions on."""
    typed = ", ".join(f"cast(null as {kind}) as {quote(name)}" for name, kind in columns.items())
    con.execute(f"create or replace temp table record as select {typed} limit 0")


def parse_expression(con: duckdb.DuckDBPyConnection, text: str) -> str:
    """A query that gives an expression as the last column of `record`; it need not have its columns.

    Raises:
        ValueError: it is no expression, or reads more than the columns of its own row.
    """
    if any(mark in text for mark in JINJA):
        raise ValueError(f"{' '.join(JINJA)} begin a template, not SQL: {text}")
    sql = f"select *, {text} as value from record"
    tree = json.loads(con.execute("select json_serialize_sql(?)", [sql]).fetchall()[0][0])
    if tree["error"]:
        raise ValueError(f"{tree['error_message'].splitlines()[0]}: {text}")
    statements = tree["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    if node.get("from_table", {}).get("table_name") != "record":
        raise ValueError(f"is no expression, or holds a comment, which hides what follows it: {text}")
    select_list = node["select_list"]
    if len(select_list) != 2 or any(one in ELSEWHERE for one in _classes(select_list[1])):
        raise ValueError(f"reads its row's own columns and nothing else, not: {text}")
    return sql


def kind_of_expression(con: duckdb.DuckDBPyConnection, text: str) -> str:
    """The SQL type of an expression over the columns of `record`.

    Raises:
        ValueError: as `parse_expression`, or DuckDB cannot make sense of it on these columns.
    """
    sql = parse_expression(con, text)
    try:
        kind = con.execute(f"describe {sql}").fetchall()[-1][1]
        con.execute(sql).fetchall()  # a constant that does not cast shows here
    except duckdb.Error as error:
        raise ValueError(str(error).splitlines()[0]) from None
    return str(kind)


def _classes(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "class" in node:
            yield node["class"]
        for value in node.values():
            yield from _classes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _classes(value)
