"""How a rule of a contract becomes an expectation on rows.

Not here: which rules there are (`compile`, `feed_rules`).
"""

from collections.abc import Callable
from typing import Any

from hims_pipeline.contracts.columns import Column
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.sentences import Said
from hims_pipeline.sql import quote

Make = Callable[..., Rule]


def rows_rule(
    make: Make,
    suffix: str,
    query: str,
    message: Said,
    column: Column | None = None,
    broken: str = "",
    terms: dict[str, Any] | None = None,
) -> Rule:
    """A rule that no row may break.

    Args:
        query: of the broken rows, over `{batch}`.
        broken: the same as a condition on a row, by which lines are told.
        terms: what the rule says, for the inventory of rules.
    """
    escaped = query.replace("{batch}", "\0").replace("{", "{{").replace("}", "}}").replace("\0", "{batch}")
    kwargs = {"unexpected_rows_query": escaped}
    return make(suffix, "unexpected_rows_expectation", kwargs, message, column, broken_rows=broken, terms=terms or {})


def condition_rule(make: Make, suffix: str, broken: str, message: Said, column: Column, **terms: Any) -> Rule:
    """A rule on the values of a column: those that stand for none are left out."""
    held = " and ".join(one for one in (f"{quote(column.name)} is not null", missing_guard(column), broken) if one)
    query = f"select 1 as broken from {{batch}} where {held}"
    return rows_rule(make, suffix, query, message, column, held, {"column": column.name, **terms})


def missing_words(column: Column) -> list[str]:
    """What stands for no value, which a rule on the values lets pass."""
    return sorted(str(code) for code in column.missing)


def missing_guard(column: Column) -> str:
    """SQL: the value is none that the column declares missing; empty where it declares nothing."""
    condition = column.absent.condition(quote(column.name))
    return f"not coalesce({condition}, false)" if condition else ""
