"""What was found about a batch and what follows from it: the records that travel into manifests, checks and reports.

Acceptance is no word that is stored: it is derived from findings and results each time it is asked for. No field holds
a value of the data: codes, counts, shares and line numbers only. A finding's `message` and `file` have two readings
(`words`): the record itself, and whatever is printed or logged of it, is the outer one, without a word of the sender;
`full_text` is for the letter to the sender, which stays in the closed zone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.words import inner_text

Severity = Literal["blocking", "warning"]
CHECKED, UNCHECKED = "checked", "not checked"  # how a delivery was carried, by totals that its sender gave


@dataclass(frozen=True)
class Acceptance:
    """A person's word that a batch counts against the gate; it stands in the audit trail too, and goes with that line.

    Args:
        by: the account, as the operating system knows it.
        name, reason: who says so, and why.
        at: when.
        rules: codes of the rules that it is given for; others still refuse.
    """

    by: str
    name: str
    reason: str
    at: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class SetAside:
    """Rows of an entity that were taken out since they break a rule that allows it.

    Args:
        rows, total: how many, and of how many that were read.
        limit: the largest share that the rule allows.
    """

    rule: str
    entity: str
    rows: int
    total: int
    limit: float


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
        return self._render(str(self.file), str(self.message))

    def full_text(self) -> str:
        """The finding with the sender's own words: for the closed zone and for a person who has the file in hand."""
        return self._render(inner_text(self.file), inner_text(self.message))

    def _render(self, file: str, message: str) -> str:
        where = " · ".join(part for part in (file, self.entity, self.column) if part)
        many = "" if self.count is None else f" ({self.count:,}{f' of {self.total:,}' if self.total else ''} rows)"
        first = f" First {self.lines_are}s: {', '.join(map(str, self.lines))}." if self.lines else ""
        return f"{self.rule}{f' [{where}]' if where else ''}: {message}{many}{first}"


def passes(
    findings: Sequence[Finding], rules: Sequence[dict[str, Any]], declared: int, evaluated: int, canary: str
) -> bool:
    """Whether a gate's results accept: there are rules, each gave one result, every blocking one held and was not
    blind, no finding blocks, and the canary behaved."""
    return (
        canary == "passed"
        and 0 < declared == evaluated == len(rules) == len({rule["code"] for rule in rules})
        and not any(finding.severity != "warning" for finding in findings)
        and all(rule["success"] is True or rule["severity"] == "warning" for rule in rules)
        and not any(rule["blind"] for rule in rules)
    )


def _may_be_accepted(rule: dict[str, Any]) -> bool:
    return bool(rule.get("may_be_accepted")) and not rule["blind"]


@dataclass(frozen=True)
class Verdict:
    """What one batch was found to be and all that it rests on; stale as soon as one of the hashes is.

    Args:
        stage: how far the batch came: `envelope`, `types` or `gate`.
        declared, evaluated: rules that the suites declare, and results with neither exception nor gap.
        inputs: name -> SHA-256 of the delivery, contract, suites, code lists and of our own reader and gate.
        manifest_sha256, files: hash of the batch's manifest, and of each entity's file that was judged; of a delivery
            that could not be read there are none.
        rules: every rule with its outcome and counts.
        compared_with: accepted batches that it was compared with, each by the hash of its profile; without any it was
            judged by its contract alone.
        profile_sha256: hash of the batch's own profile, with which later ones are compared.
        set_aside: rows that were taken out before it was judged.
        transport: whether totals that the sender gave were compared with what arrived; `""` before that was asked.
        acceptance: a person's word that it counts against the gate, as far as its rules allow that.
    """

    batch: str
    stage: Literal["envelope", "types", "gate"]
    judged_at: str
    inputs: dict[str, str]
    manifest_sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    declared: int = 0
    evaluated: int = 0
    canary: str = "not run"
    rules: tuple[dict[str, Any], ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    compared_with: dict[str, str] = field(default_factory=dict)
    profile_sha256: str = ""
    set_aside: tuple[SetAside, ...] = ()
    transport: str = ""
    acceptance: Acceptance | None = None

    @property
    def accepted(self) -> bool:
        """Derived from what was found and from what a person said of it; a batch that could not be read or judged has
        no way to be accepted."""
        return self._passes(frozenset()) or (self.acceptance is not None and self._passes(self.excused))

    @property
    def is_overruled(self) -> bool:
        """Does it count only since a person accepted it against the gate?"""
        return self.accepted and not self._passes(frozenset())

    @property
    def excused(self) -> frozenset[str]:
        """Rules that a person's word covers: those that it names and that allow it, of which each saw a value."""
        given = set(self.acceptance.rules) if self.acceptance else set()
        return frozenset(rule["code"] for rule in self.rules if _may_be_accepted(rule) and rule["code"] in given)

    @property
    def forbidding(self) -> tuple[str, ...]:
        """What refuses and no person may overrule: codes, none where a person's word would be enough."""
        allowing = frozenset(rule["code"] for rule in self.rules if _may_be_accepted(rule))
        blocked = tuple(dict.fromkeys(reason.rule for reason in self.reasons if reason.rule not in allowing))
        return blocked or (() if self._passes(allowing) else ("GATE",))

    def _passes(self, excused: frozenset[str]) -> bool:
        judged = self.stage == "gate" and bool(self.manifest_sha256) and bool(self.files)
        findings = [finding for finding in self.findings if finding.rule not in excused]
        rules = [rule | {"success": True} if rule["code"] in excused else rule for rule in self.rules]
        return judged and passes(findings, rules, self.declared, self.evaluated, self.canary)

    @property
    def status(self) -> Literal["accepted", "refused"]:
        return "accepted" if self.accepted else "refused"

    @cached_property
    def sha256(self) -> str:
        """Hash of what it says, by which the audit trail and releases name it."""
        return fingerprint(self.as_json())

    @property
    def found_in_reading(self) -> tuple[Finding, ...]:
        """Of a batch that the gate has judged, what was found before, while it was read: findings of no rule."""
        rules = {rule["code"] for rule in self.rules}
        return tuple(finding for finding in self.findings if finding.rule not in rules)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "blocking")

    def as_json(self) -> dict[str, Any]:
        """For people the record names the status too; it is read by nobody."""
        own: dict[str, Any] = {"batch": self.batch, "status": self.status}
        own |= {one.name: getattr(self, one.name) for one in fields(self)}  # `asdict` copies the result of every rule
        own["findings"] = tuple(asdict(one) for one in self.findings)
        own["set_aside"] = tuple(asdict(one) for one in self.set_aside)
        own["acceptance"] = asdict(self.acceptance) if self.acceptance else None
        return own

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Verdict":
        """The verdict that a record holds.

        Raises:
            TypeError, KeyError, ValueError: it holds something else, or names a status that does not follow from it.
        """
        findings = tuple(Finding(**{**one, "lines": tuple(one["lines"])}) for one in value["findings"])
        plain = {name: one for name, one in value.items() if name != "status"}
        plain |= {"findings": findings, "rules": tuple(value["rules"])}
        plain["set_aside"] = tuple(SetAside(**one) for one in value.get("set_aside", ()))
        if accepted_by := value.get("acceptance"):
            plain["acceptance"] = Acceptance(**{**accepted_by, "rules": tuple(accepted_by["rules"])})
        verdict = cls(**plain)
        if verdict.status != value["status"]:
            raise ValueError("a status that does not follow from the findings")
        return verdict
