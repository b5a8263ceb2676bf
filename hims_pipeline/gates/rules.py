"""A rule as the gate holds it: what Great Expectations is to check, and what to tell the deliverer when it fails."""

import re
from dataclasses import dataclass, field
from typing import Any

from hims_pipeline.lake.verdict import Severity


@dataclass(frozen=True)
class Rule:
    """One expectation on one entity.

    Args:
        code: stable for ever, unique in its suite.
        expectation: Great Expectations' name of the type, such as `expect_column_values_to_not_be_null`.
        message: for the deliverer, in English; `messages` has the other languages where a suite gives them.
        column: the column that it is about, "" for rules on whole rows or tables.
        may_be_empty: the rule may hold without having seen a value.
        broken_rows: SQL condition of the rows that break it, for naming their lines; "" where there is none.
        table: what it is evaluated on, where that is another table than the entity's own.
        terms: what its SQL says, in names and bounds that two versions of it can be compared by; the kwargs without.
        set_aside: share of rows that may be taken out since they break it; 0 refuses the batch at the first one.
        may_be_accepted: a person may accept a batch that breaks it, with a reason.
    """

    code: str
    entity: str
    expectation: str
    kwargs: dict[str, Any]
    severity: Severity
    message: str
    column: str = ""
    may_be_empty: bool = False
    broken_rows: str = ""
    messages: dict[str, str] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    table: str = ""
    set_aside: float = 0.0
    may_be_accepted: bool = False


_NEVER = re.compile(
    r"\b(where|and)\s*\(?\s*(false|not\s+true|(\d+)\s*(=|<>|!=)\s*(\d+))\b|\blimit\s+0\b", re.IGNORECASE
)


def cannot_fail(expectation: str, kwargs: dict[str, Any]) -> bool:
    """Whether arguments leave an expectation nothing to find: no bound, no value, a share of none, a condition that is
    never true. That others can fail is shown by a case that breaks each rule."""
    bounds = [kwargs.get("min_value"), kwargs.get("max_value")]
    if kwargs.get("mostly") == 0 or (expectation.endswith("_to_be_between") and bounds == [None, None]):
        return True
    if expectation == "expect_column_distinct_values_to_contain_set" and not kwargs.get("value_set"):
        return True
    return any(_is_never(match) for match in _NEVER.finditer(str(kwargs.get("unexpected_rows_query", ""))))


def _is_never(match: re.Match[str]) -> bool:
    left, sign, right = match.group(3, 4, 5)
    return left is None or (int(left) == int(right)) != (sign == "=")


@dataclass(frozen=True)
class RuleResult:
    """What came of one rule. Counts only: no field can hold a value of the data."""

    rule: Rule
    success: bool
    raised: str = ""
    rows: int | None = None
    unexpected: int | None = None
    missing: int | None = None

    @property
    def is_blind(self) -> bool:
        """It saw rows without one value, and may not. A table without rows is the row floor's matter."""
        return not self.rule.may_be_empty and bool(self.rows) and self.missing == self.rows
