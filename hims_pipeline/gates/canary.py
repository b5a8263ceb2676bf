"""Before the gate may say yes it shows that it can say no: each kind of rule on a table where it holds and on one where
it does not, in the same process and through the same engine. A broken driver has been seen to pass everything."""

from functools import lru_cache
from typing import Any

from hims_pipeline.gates.engine import GateError, evaluate
from hims_pipeline.gates.rules import Rule
from hims_pipeline.settings import Settings

# The kinds of expectation that suites may use: each with arguments that hold on the good table and fail on the bad one.
KINDS: dict[str, dict[str, Any]] = {
    "expect_column_values_to_not_be_null": {"column": "filled"},
    "expect_column_values_to_be_in_set": {"column": "code", "value_set": ["a", "b"]},
    "expect_column_values_to_be_between": {"column": "number", "min_value": 1, "max_value": 4},
    "expect_column_values_to_be_unique": {"column": "id"},
    "expect_compound_columns_to_be_unique": {"column_list": ["id", "number"]},
    "expect_column_pair_values_a_to_be_greater_than_b": {"column_A": "high", "column_B": "low"},
    "expect_column_mean_to_be_between": {"column": "number", "min_value": 2, "max_value": 3},
    "expect_column_sum_to_be_between": {"column": "number", "min_value": 10, "max_value": 10},
    "expect_column_unique_value_count_to_be_between": {"column": "number", "min_value": 4},
    "expect_column_proportion_of_non_null_values_to_be_between": {"column": "filled", "min_value": 1},
    "expect_column_distinct_values_to_contain_set": {"column": "code", "value_set": ["a", "b"]},
    "expect_column_distinct_values_to_equal_set": {"column": "code", "value_set": ["a", "b"]},
    "expect_table_row_count_to_be_between": {"min_value": 4, "max_value": 4},
    "unexpected_rows_expectation": {"unexpected_rows_query": "select id from {batch} where code not in ('a', 'b')"},
}
_GOOD = "(1, 'a', 1, 9, 1), (2, 'b', 2, 9, 2), (3, 'a', 3, 9, 3), (4, 'b', 4, 9, 4)"
_BAD = "(1, 'z', 9, 1, null), (1, 'z', 9, 1, 2), (1, 'z', 9, 1, 3), (2, 'z', 9, 1, 4), (2, 'z', 9, 1, 5)"


@lru_cache(maxsize=4)
def show(settings: Settings) -> str:
    """Run the canary, once a process; returns `passed`.

    Raises:
        GateError: a rule failed on the good table, held on the bad one, or gave no result.
    """

    def fill(con: Any) -> None:
        for name, rows in (("canary_good", _GOOD), ("canary_bad", _BAD)):
            con.execute(f"create table {name} as from (values {rows}) as t (id, code, number, high, low)")
            con.execute(f"alter table {name} add column filled integer")
            con.execute(f"update {name} set filled = low")

    rules = [
        Rule(f"{table}:{kind}", table, kind, kwargs, "blocking", "canary")
        for table in ("canary_good", "canary_bad")
        for kind, kwargs in KINDS.items()
    ]
    outcomes = {one.rule.code: one for one in evaluate(settings, fill, rules)}
    wrong = [
        rule.code
        for rule in rules
        if rule.code not in outcomes
        or outcomes[rule.code].raised
        or outcomes[rule.code].success != (rule.entity == "canary_good")
    ]
    if wrong:
        raise GateError(
            f"The gate does not trust itself, and accepts nothing: canary rules went wrong: {', '.join(wrong)}."
        )
    return "passed"
