"""The conformed warehouse across its sources, judged by `expectations/warehouse.json`: what no delivery shows alone.

Each rule is about a small table, made by the query of its name under `expectations/warehouse/`, with columns
`source` (`a+b` where it lays several beside each other) and `period`; Great Expectations holds it to the rule. Not
here: our own SQL, which tests of dbt look after, and what becomes of a source that breaks a rule (`release.fallback`).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hims_pipeline.errors import ContractError
from hims_pipeline.gates.judge import GateOutcome, judge_tables
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.suites import as_rule, load_suite
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal, quote

SUITE, QUERIES = "warehouse.json", "warehouse"
PREFIX = "across_"  # a table whose name is a word of SQL is not quoted by Great Expectations


@dataclass(frozen=True)
class Broken:
    """A rule that a source breaks. `sources` are those laid beside each other; `rows` of its table break it."""

    code: str
    severity: str
    message: str
    sources: tuple[str, ...]
    periods: tuple[str, ...]
    rows: int

    def sentence(self) -> str:
        return f"{self.code}: {self.message} ({', '.join(self.sources)} {', '.join(self.periods)}; {self.rows})"


def warehouse_rules(expectations: Path) -> list[Rule]:
    """The rules; none where the observatory has no such suite.

    Raises:
        ContractError: the suite, or a query of it, does not say what it must.
    """
    path = expectations / SUITE
    if not path.exists():
        return []
    warehouse_only = [as_rule(one, one.meta.table) for one in load_suite(path).expectations]
    rules = [replace(one, table=PREFIX + one.entity) for one in warehouse_only]
    for rule in rules:
        if rule.expectation != "unexpected_rows_expectation":
            raise ContractError(f"{SUITE}: {rule.code} must select `source, period` of the rows that break it.")
        if not rule.entity or not _query(expectations, rule).is_file():
            raise ContractError(f"{SUITE}: {rule.code} has no query expectations/{QUERIES}/{rule.entity}.sql.")
    return rules


def _query(expectations: Path, rule: Rule) -> Path:
    return expectations / QUERIES / f"{rule.entity}.sql"


def judge_warehouse(settings: Settings, database: Path) -> tuple[GateOutcome | None, list[Broken]]:
    """Judge a finished warehouse file, opened read-only; returns the gate's outcome and what is broken by whom.

    Raises:
        ContractError: as `warehouse_rules`.
        GateError: the gate could not do its work.
    """
    rules = warehouse_rules(settings.expectations)
    if not rules:
        return None, []

    def fill(con: Any) -> None:
        here, there = con.execute("select current_database()").fetchone()[0], quote(database.stem)
        con.execute(f"attach {literal(database)} as {there} (read_only)")
        con.execute(f"use {there}")
        for rule in {one.entity: one for one in rules}.values():
            query = _query(settings.expectations, rule).read_text(encoding="utf-8").rstrip().rstrip(";")
            con.execute(f"create or replace table {quote(here)}.main.{quote(rule.table)} as {query}")
        con.execute(f"use {quote(here)}")
        con.execute(f"detach {there}")

    outcome = judge_tables(settings, fill, rules)
    failed = {one["code"] for one in outcome.rules if not one["success"]}
    broken: list[Broken] = []
    if failed:
        with connection(settings) as con:
            fill(con)
            for rule in (one for one in rules if one.code in failed):
                broken += _find_broken(con, rule)
    return outcome, broken


def _find_broken(con: Any, rule: Rule) -> list[Broken]:
    query = rule.kwargs["unexpected_rows_query"].format(batch=quote(rule.table))
    broken_rows = con.execute(
        f"select source, list(distinct period order by period), count(*) from ({query}) as broken group by 1 order by 1"
    ).fetchall()
    return [
        Broken(rule.code, rule.severity, rule.message, tuple(source.split("+")), tuple(periods), rows)
        for source, periods, rows in broken_rows
    ]
