"""How Great Expectations runs on DuckDB; no other module knows.

Each rule is evaluated by Great Expectations' own engine, pushed down to DuckDB through SQLAlchemy. Results are asked
for without values, and only counts are taken from them.

Great Expectations 1.24 reads a result after it has closed the connection, and DuckDB's cursor dies with it: every SQL
metric would fail with `list index out of range`. The dialect below reads the rows first. Drop it when the native engine
(great_expectations #12084) is released.
"""

import contextlib
import logging
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from hims_pipeline.gates.rules import Rule, RuleResult
from hims_pipeline.settings import Settings
from hims_pipeline.sql import MISTAKEN, connection, literal
from hims_pipeline.stopping import QUERY_STOPPED

WITHOUT_VALUES = {"result_format": "SUMMARY", "exclude_unexpected_values": True, "partial_unexpected_count": 0}
ROWS, COUNT = "unexpected_rows_expectation", "unexpected_rows_query.row_count"
SUPPORTED = ((1, 24), (1, 25))


class GateError(Exception):
    """The gate itself failed: not a word about the data, and nothing is accepted."""


@lru_cache(maxsize=1)
def great_expectations() -> Any:
    """The library, imported once and late (it takes seconds), with the dialect put in place.

    Raises:
        GateError: a version whose behaviour on DuckDB was not tried.
    """
    import great_expectations as gx
    from duckdb_sqlalchemy import Dialect
    from sqlalchemy.dialects import registry
    from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

    version = tuple(int(part) for part in gx.__version__.split(".")[:2])
    if not SUPPORTED[0] <= version < SUPPORTED[1]:
        raise GateError(f"great_expectations {gx.__version__} was not tried on DuckDB; the gate knows 1.24.")

    class BufferedContext(Dialect.execution_ctx_cls):  # type: ignore[misc, valid-type]
        def post_exec(self) -> None:
            super().post_exec()
            if self.cursor is not None and self.cursor.description:
                self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                    self.cursor,
                    alternate_description=self.cursor.description,
                    initial_buffer=self.cursor.fetchall(),
                )

    class BufferedDialect(Dialect):
        execution_ctx_cls = BufferedContext
        supports_statement_cache = False

    registry.impls["duckdb"] = lambda: BufferedDialect
    for name in ("great_expectations", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return gx


@lru_cache(maxsize=1)
def _count_rows() -> str:
    """The type of an expectation that a query finds no row, told by their number alone. Great Expectations' own runs
    each query twice, once for rows that it would show, and no row of the data is shown here."""
    great_expectations()
    from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation

    class UnexpectedRowsAreCounted(UnexpectedRowsExpectation):
        metric_dependencies = (COUNT,)

        def _validate(self, metrics: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
            return {"success": metrics[COUNT] == 0, "result": {"observed_value": metrics[COUNT]}}

    return str(UnexpectedRowsAreCounted.expectation_type)


def versions() -> dict[str, str]:
    """Versions of the packages that judge; a change of one is a change of the gate."""
    import duckdb
    import sqlalchemy

    return {
        "great_expectations": great_expectations().__version__,
        "duckdb": duckdb.__version__,
        "sqlalchemy": sqlalchemy.__version__,
    }


def evaluate(
    settings: Settings, fill: Callable[[Any], None], rules: Sequence[Rule], judged: Path | None = None
) -> list[RuleResult]:
    """Evaluate rules on a scratch database.

    Args:
        fill: makes the tables or views in the scratch database, one an entity.
        judged: a database that these views read, as `judged`.

    Returns:
        One outcome for each rule that Great Expectations gave exactly one result for.
    """
    settings.scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="gate-", dir=settings.scratch))
    try:
        database = folder / "gate.duckdb"
        with connection(settings, database) as con:
            fill(con)
        return _validate(settings, database, rules, judged)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _validate(settings: Settings, database: Path, rules: Sequence[Rule], judged: Path | None) -> list[RuleResult]:
    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    limits = {
        "threads": settings.threads,
        "memory_limit": settings.memory_limit,
        "temp_directory": str(database.parent / "spill"),
        **MISTAKEN,
    }
    source = context.data_sources.add_sql(
        "scratch",
        connection_string=f"duckdb:///{database}",
        # Nothing is written: no query of hundreds needs a transaction that is begun for it and rolled back.
        kwargs={"isolation_level": "AUTOCOMMIT", "connect_args": {"read_only": True, "config": limits}},
        create_temp_table=False,
    )
    by_table: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_table[rule.table or rule.entity].append(rule)
    outcomes = []
    engine = source.get_execution_engine()
    try:
        # What one connection attaches, all of the same database see, for as long as it is open.
        with contextlib.closing(engine.engine.raw_connection()) as attaching:
            if judged:
                attaching.cursor().execute(f"attach {literal(judged)} as judged (read_only)")
            for table, own in by_table.items():
                outcomes += _validate_table(source, table, own)
    finally:
        engine.close()
    return outcomes


def _validate_table(source: Any, table: str, rules: list[Rule]) -> list[RuleResult]:
    from great_expectations.core.expectation_suite import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    batch = source.add_table_asset(table, table_name=table).add_batch_definition_whole_table("whole").get_batch()
    suite = ExpectationSuite(
        name=table,
        expectations=[
            ExpectationConfiguration(
                type=_count_rows() if rule.expectation == ROWS else rule.expectation,
                kwargs=rule.kwargs,
                meta={"code": rule.code},
            )
            for rule in rules
        ],
    )
    by_code: dict[str, list[Any]] = defaultdict(list)
    for result in batch.validate(suite, result_format=WITHOUT_VALUES).results:
        by_code[result.expectation_config.meta["code"]].append(result)
    return [_outcome(rule, by_code[rule.code][0]) for rule in rules if len(by_code[rule.code]) == 1]


def _outcome(rule: Rule, result: Any) -> RuleResult:
    counts = result.result
    return RuleResult(
        rule=rule,
        success=bool(result.success),
        raised=_describe_raised(result.exception_info),
        rows=counts.get("element_count"),
        unexpected=_count_unexpected(rule, counts),
        missing=counts.get("missing_count") if "element_count" in counts else None,
    )


def _count_unexpected(rule: Rule, counts: dict[str, Any]) -> int | None:
    if rule.expectation == ROWS:  # its observed value is the number of rows, and nothing else
        return counts.get("observed_value")
    return counts.get("unexpected_count")


def _describe_raised(info: dict[str, Any] | None) -> str:
    """What a rule stumbled over, by the exception's type alone: its message may quote data."""
    for part in [info, *(info or {}).values()]:
        if isinstance(part, dict) and part.get("raised_exception"):
            text = str(part.get("exception_traceback") or part.get("exception_message") or "")
            if QUERY_STOPPED in text:
                raise KeyboardInterrupt  # Great Expectations took it for a failure of the rule
            kind = re.search(r"^([\w.]+(?:Error|Exception))\b", text, re.MULTILINE)
            return kind.group(1) if kind else "exception"
    return ""
