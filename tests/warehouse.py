"""The whole warehouse in one DuckDB connection, without dbt: every model of the rendered project on no batch at all, or
on rows that a test puts into its tables. Seconds instead of minutes."""

import re
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, quote
from hims_pipeline.staging.render import render_project
from tests.jinja import compiler


def order_of(texts: dict[str, str], wanted: Iterable[str] = ()) -> list[str]:
    """Models in the order in which they can be made: all, or those wanted and what they rest on."""
    names = re.compile(rf"\b({'|'.join(sorted(texts, key=len, reverse=True))})\b")
    graph = {name: set(names.findall(text)) - {name} for name, text in texts.items()}
    needed, ahead = set[str](), list(wanted or graph)
    while ahead:
        if (name := ahead.pop()) not in needed:
            needed.add(name)
            ahead += graph[name]
    return [name for name in TopologicalSorter(graph).static_order() if name in needed]


class Warehouse:
    """Models of the present `data/`, built on nothing; `put` and `figures` try one of them on rows of its own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.tree = folder / "tree"
        render_project(settings, self.tree)
        self.con = duckdb.connect()
        (folder / "inputs.json").write_text("[]", encoding="utf-8")
        compiled = compiler(self.tree)
        self.sql: dict[str, str] = {}
        for path in sorted((self.tree / "models").rglob("*.sql")):
            sql = compiled(path.read_text(encoding="utf-8")).replace(
                "/nowhere/HIMS_INPUTS", str(folder / "inputs.json")
            )
            self.sql[path.stem] = sql
        self.python = {path.stem: path for path in (self.tree / "models").rglob("*.py")}
        for path in (self.tree / "seeds").glob("*.csv"):
            options = "header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"'"
            self.con.execute(f"create table {quote(path.stem)} as from read_csv({literal(path)}, {options})")

    def build(self) -> list[str]:
        """Make every model, in order; returns their names."""
        order = order_of(self.texts())
        for name in order:
            self.make(name)
        return order

    def texts(self) -> dict[str, str]:
        """Model -> the text that it is made by."""
        return self.sql | {name: path.read_text(encoding="utf-8") for name, path in self.python.items()}

    def make(self, name: str, sent: Iterable[str] = ()) -> None:
        """Make one model.

        Args:
            sent: SQL of rows that a staging view reads, where it reads any.
        """
        if name in self.python:
            return self._run(name)
        kind = "view" if name.startswith(("stg_", "feed_", "sent_", "edited_")) else "table"
        rows = "".join(f" union all by name {one}" for one in sent)
        sql = (
            re.sub(r"\)( as sent)\b", lambda end: f"{rows}){end[1]}", self.sql[name], count=1)
            if rows
            else self.sql[name]
        )
        self.con.execute(f"create {kind} {quote(name)} as {sql}")

    def _run(self, name: str) -> None:
        """Make a model that is a program. It names schemas, as dbt's connection has them; here all is in one."""
        program: dict[str, Any] = {}
        exec(self.python[name].read_text(encoding="utf-8"), program)  # noqa: S102 - a model of the project
        dbt = SimpleNamespace(config=lambda **_: None, ref=self._show_in_its_schema)
        frame = program["model"](dbt, self.con)  # noqa: F841 - DuckDB finds it by this name
        self.con.execute(f"create table {quote(name)} as from frame")

    def _show_in_its_schema(self, table: str) -> None:
        folders = {path.stem: path.parent.name for path in (self.tree / "models").rglob("*.sql")}
        schema = quote(folders.get(table, "reference"))
        self.con.execute(f"create schema if not exists {schema}")
        self.con.execute(f"create or replace view {schema}.{quote(table)} as from main.{quote(table)}")

    def figures(self, model: str, given: dict[str, list[dict[str, Any]]], columns: str) -> list[tuple]:
        """Columns of a model, sorted, where tables hold these rows and nothing else; what a row leaves out is NULL."""
        self.con.execute("begin")
        try:
            for table, rows in given.items():
                self.con.execute(f"delete from {quote(table)}")
                for row in rows:
                    names = ", ".join(map(quote, row))
                    values = ", ".join(map(literal, row.values()))
                    self.con.execute(f"insert into {quote(table)} ({names}) values ({values})")
            return self.con.execute(f"select {columns} from ({self.sql[model]}) as figures order by all").fetchall()
        finally:
            self.con.execute("rollback")
