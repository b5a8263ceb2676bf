"""What was found about a batch and what was decided: the records that travel into manifests, checks and reports.

No field holds a value of the data: codes, counts, shares and line numbers only. A finding's `message` and `file` have
two readings (`words`): the record itself, and whatever is printed or logged of it, is the outer one, without a word of
the sender; `in_full` is for the letter to the sender, which stays in the closed zone.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from hims_pipeline.words import inner

Severity = Literal["blocking", "warning"]


@dataclass(frozen=True)
class Finding:
    """One rule that did not hold.

    Args:
        rule: stable code, such as `RGPH-PERSON-003` or `ENVELOPE-HEADER`.
        message: for the deliverer: what is wrong and what to do.
        count, total: rows that break the rule, and rows looked at; None where the rule is not about rows.
        lines: the first few places, and `lines_are` what they count: `line` of the file or `row` of the table.
    """

    rule: str
    severity: Severity
    message: str
    file: str = ""
    entity: str = ""
    column: str = ""
    count: int | None = None
    total: int | None = None
    lines: tuple[int, ...] = ()
    lines_are: Literal["line", "record"] = "line"

    def sentence(self) -> str:
        """The finding as a person reads it anywhere."""
        return self._written(str(self.file), str(self.message))

    def in_full(self) -> str:
        """The finding with the sender's own words: for the closed zone and for a person who has the file in hand."""
        return self._written(inner(self.file), inner(self.message))

    def _written(self, file: str, message: str) -> str:
        where = " · ".join(part for part in (file, self.entity, self.column) if part)
        many = "" if self.count is None else f" ({self.count:,}{f' of {self.total:,}' if self.total else ''} rows)"
        first = f" First {self.lines_are}s: {', '.join(map(str, self.lines))}." if self.lines else ""
        return f"{self.rule}{f' [{where}]' if where else ''}: {message}{many}{first}"


@dataclass(frozen=True)
class Verdict:
    """The decision on one batch and all that it rests on; stale as soon as one of the hashes is.

    Args:
        stage: how far the batch came: `envelope`, `types` or `gate`.
        declared, evaluated: rules that the suites declare, and results with neither exception nor gap.
        inputs: name -> SHA-256 of the delivery, contract, suites, code lists and of our own reader and gate.
        rules: every rule with its outcome and counts.
    """

    batch: str
    status: Literal["accepted", "refused"]
    stage: Literal["envelope", "types", "gate"]
    judged_at: str
    inputs: dict[str, str]
    findings: tuple[Finding, ...] = ()
    declared: int = 0
    evaluated: int = 0
    canary: str = "not run"
    rules: tuple[dict[str, Any], ...] = ()
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "blocking")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Verdict":
        findings = tuple(Finding(**{**one, "lines": tuple(one["lines"])}) for one in value["findings"])
        return cls(**{**value, "findings": findings, "rules": tuple(value["rules"])})
