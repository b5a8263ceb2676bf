"""The rules asked in DuckDB directly, in a tenth of the time that Great Expectations takes: for trying limits out.

What counts is measured through the gate itself; `tests/gates` holds that both say the same.
"""

from collections.abc import Sequence
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates import rules_of
from hims_pipeline.gates.comparisons import write_evidence
from hims_pipeline.gates.inputs import load_lists
from hims_pipeline.gates.predecessor_evidence import Predecessor, set_beside
from hims_pipeline.gates.rules import Rule
from hims_pipeline.settings import Settings
from hims_pipeline.sql import ParquetFiles, connection, literals, quote, read_parquet


def broken_rules(
    settings: Settings, contract: Contract, period: str, tables: dict[str, ParquetFiles], before: Sequence[Predecessor]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The codes of the blocking rules that a batch breaks, and of those that warn."""
    rules = [one for one in rules_of(settings, contract, period) if one.entity in tables]
    beside = set_beside(settings, contract, period, tables, before)
    with connection(settings) as con:
        for name, path in tables.items():
            con.execute(f"create table {quote(name)} as from {read_parquet(path)}")
            write_evidence(con, name, beside.evidence[name], bool(before))
        load_lists(con, settings.data)
        broken = [rule for rule in rules if _breaks(con, rule)]
    blocking, warning = ([one.code for one in broken if one.severity == kind] for kind in ("blocking", "warning"))
    return tuple(blocking), tuple(warning)


def _breaks(con: Any, rule: Rule) -> bool:
    table, column = quote(rule.table or rule.entity), quote(rule.kwargs.get("column", "") or "_line")
    if rule.expectation == "unexpected_rows_expectation":
        query = rule.kwargs["unexpected_rows_query"].format(batch=table)
        return con.execute(f"select 1 from ({query}) limit 1").fetchone() is not None
    values, mostly = rule.kwargs.get("value_set") or [], rule.kwargs.get("mostly", 1)
    distinct = f"select distinct {column} as v from {table} where {column} is not null"
    figure = {
        "expect_column_values_to_not_be_null": f"count(*) filter ({column} is null) <= (1 - {mostly}) * count(*)",
        "expect_column_values_to_be_in_set": f"count(*) filter ({column} not in ({literals(values)}))"
        f" <= (1 - {mostly}) * count({column})",
        "expect_column_values_to_be_unique": f"count({column}) = count(distinct {column})",
        "expect_column_distinct_values_to_contain_set": f"(select count(*) from ({distinct}) where v in"
        f" ({literals(values)})) = {len(values)}",
        "expect_column_distinct_values_to_equal_set": f"(select count(*) = {len(values)} and"
        f" count(*) filter (v not in ({literals(values)})) = 0 from ({distinct}))",
        "expect_table_row_count_to_be_between": _between("count(*)", rule.kwargs),
        "expect_column_mean_to_be_between": _between(f"avg({column})", rule.kwargs),
        "expect_column_sum_to_be_between": _between(f"sum({column})", rule.kwargs),
        "expect_column_unique_value_count_to_be_between": _between(f"count(distinct {column})", rule.kwargs),
        "expect_column_proportion_of_non_null_values_to_be_between": _between(
            f"count({column}) * 1.0 / count(*)", rule.kwargs
        ),
        "expect_column_values_to_be_between": f"count(*) filter (not ({_between(column, rule.kwargs)}))"
        f" <= (1 - {mostly}) * count({column})",
    }[rule.expectation]
    holds, blind = con.execute(f"select {figure}, count({column}) = 0 and count(*) > 0 from {table}").fetchone()
    return not holds or (bool(blind) and bool(rule.column) and not rule.may_be_empty)


def _between(figure: str, kwargs: dict[str, Any]) -> str:
    bounds = [(">=", kwargs.get("min_value")), ("<=", kwargs.get("max_value"))]
    return " and ".join(f"{figure} {sign} {bound}" for sign, bound in bounds if bound is not None) or "true"
