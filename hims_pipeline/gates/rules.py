"""A rule as the gate holds it: what Great Expectations is to check, and what to tell the deliverer when it fails."""

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


@dataclass(frozen=True)
class Outcome:
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
