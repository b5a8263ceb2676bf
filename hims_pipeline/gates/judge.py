"""The gate's rule: when a batch may pass.

    it has rules; each gave exactly one result; none raised; every blocking one held; every rule on a column saw a value
    (unless it may be empty); the canary behaved in this process; the files are the same before and after.

`result.success` of Great Expectations is not asked: one failed warning makes it false, and an empty suite true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates import canary, canary_profiles
from hims_pipeline.gates.comparisons import profile_rules, write_evidence
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.gates.engine import GateError, evaluate, versions
from hims_pipeline.gates.predecessor_evidence import Predecessor, keep_profile, set_beside
from hims_pipeline.gates.rules import Rule, RuleResult
from hims_pipeline.gates.suites import as_rule, judgement_rules, load_suite
from hims_pipeline.gates.tables import fill_tables
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.verdict import Finding, passes
from hims_pipeline.settings import Settings
from hims_pipeline.sql import ParquetFiles, connection, literal, quote

LINES_NAMED = 5


@dataclass(frozen=True)
class GateOutcome:
    """The gate's decision: findings of rules that did not hold, how many rules were declared and evaluated, and the
    batches compared with, each by the hash of its profile; without any, judgement was by the contract alone."""

    findings: tuple[Finding, ...]
    declared: int
    evaluated: int
    canary: str
    rules: tuple[dict[str, Any], ...]
    versions: dict[str, str]
    compared_with: dict[str, str] = field(default_factory=dict)
    profile_sha256: str = ""

    @property
    def accepted(self) -> bool:
        return passes(self.findings, self.rules, self.declared, self.evaluated, self.canary)

    def as_json(self) -> dict[str, Any]:
        """As a manifest keeps it: the decision, and what came of each rule."""
        own = ("accepted", "declared", "evaluated", "canary", "versions", "rules")
        return {name: getattr(self, name) for name in own} | {"findings": [asdict(one) for one in self.findings]}


def judge(
    settings: Settings,
    contract: Contract,
    period: str,
    tables: Mapping[str, ParquetFiles],
    written: dict[str, str] | None = None,
    before: Sequence[Predecessor] = (),
    profile_to: Path | None = None,
) -> GateOutcome:
    """Judge the entities of one batch.

    Args:
        tables: entity -> its Parquet files.
        written: name -> SHA-256 of each file as it was written; the present one's without it.
        before: accepted batches that it is compared with.
        profile_to: where its own profile is kept.

    Raises:
        Damaged: the profile of a predecessor is not what was written.
        GateError: the gate could not do its work; says nothing about the data.
    """
    rules = [rule for rule in rules_of(settings, contract, period) if rule.entity in tables]
    hashes = _hashes(tables)
    if written is not None and {path.name: sha256 for path, sha256 in hashes.items()} != written:
        raise GateError("A file is not the one that was written.")

    beside = None
    if any(rule.table for rule in rules):
        canary_profiles.show(settings)
        beside = set_beside(settings, contract, period, tables, before)

    def fill(con: Any) -> None:
        fill_tables(con, settings, tables)
        for name, evidence in (beside.evidence if beside else {}).items():
            write_evidence(con, name, evidence, bool(before))

    outcome = _decide(settings, fill, rules)
    if beside is not None:
        kept = keep_profile(settings, beside.profiles, profile_to) if profile_to else ""
        outcome = replace(outcome, compared_with=beside.compared_with, profile_sha256=kept)
    if hashes != _hashes(tables):
        raise GateError("A file changed while it was judged.")
    return outcome


def _hashes(tables: Mapping[str, ParquetFiles]) -> dict[Path, str]:
    """SHA-256 of every file."""
    files = [path for paths in tables.values() for path in ([paths] if isinstance(paths, Path) else paths)]
    return {path: sha256_of(path) for path in files}


def judge_database(settings: Settings, database: Path, suite_path: Path) -> GateOutcome:
    """Judge tables of a finished DuckDB file, opened read-only; `meta.table` of the suite or a rule names the table.

    Raises:
        GateError: the gate could not do its work.
    """
    by_table = database_rules(suite_path)

    def fill(con: Any) -> None:
        # Views without a schema: Great Expectations' reflection ignores schemas on DuckDB.
        con.execute(f"attach {literal(database)} as judged (read_only)")
        for table, rules in by_table.items():
            con.execute(f"create view {quote(rules[0].entity)} as from judged.{table}")

    return _decide(settings, fill, [rule for rules in by_table.values() for rule in rules], database)


def database_rules(suite_path: Path) -> dict[str, list[Rule]]:
    """Table, with its schema -> its rules, which name it without."""
    suite = load_suite(suite_path)
    by_table: dict[str, list[Rule]] = {}
    for expectation in suite.expectations:
        table = expectation.meta.table or suite.meta["table"]
        by_table.setdefault(table, []).append(as_rule(expectation, table.rsplit(".", 1)[-1]))
    return by_table


def judge_tables(settings: Settings, fill: Any, rules: Sequence[Rule]) -> GateOutcome:
    """Judge tables that `fill` makes in a connection, by rules that name them.

    Raises:
        GateError: the gate could not do its work.
    """
    return _decide(settings, fill, rules)


def rules_of(settings: Settings, contract: Contract, period: str) -> list[Rule]:
    """All rules for a batch: the contract's, compiled, the judgement of its entities, and those on its profile."""
    return [
        *compile_rules(contract, period),
        *judgement_rules(settings.expectations, contract, period),
        *profile_rules(settings.expectations, contract, period),
    ]


def _decide(settings: Settings, fill: Any, rules: Sequence[Rule], judged: Path | None = None) -> GateOutcome:
    if not rules:
        raise GateError("There is no rule to judge by, and without rules nothing is accepted.")
    codes = [rule.code for rule in rules]
    if doubled := {code for code in codes if codes.count(code) > 1}:
        raise GateError(f"Two rules have one code: {', '.join(sorted(doubled))}.")
    shown = canary.show(settings)
    outcomes = evaluate(settings, fill, rules, judged)
    if len(outcomes) != len(rules):
        lost = sorted(set(codes) - {outcome.rule.code for outcome in outcomes})
        raise GateError(f"Rules without exactly one result: {', '.join(lost)}.")
    if raised := [f"{outcome.rule.code} ({outcome.raised})" for outcome in outcomes if outcome.raised]:
        raise GateError(f"Rules that could not be evaluated; check their columns and SQL: {', '.join(raised)}.")
    broken = [outcome for outcome in outcomes if not outcome.success]
    blind = [outcome for outcome in outcomes if outcome.success and outcome.is_blind]
    findings = (*_findings(settings, fill, broken), *(_make_blind_finding(one) for one in blind))
    return GateOutcome(
        findings=findings,
        declared=len(rules),
        evaluated=len(outcomes),
        canary=shown,
        rules=tuple(_record(outcome) for outcome in outcomes),
        versions=versions(),
    )


def _record(result: RuleResult) -> dict[str, Any]:
    return {
        "code": result.rule.code,
        "expectation": result.rule.expectation,
        "severity": result.rule.severity,
        "success": result.success,
        "rows": result.rows,
        "unexpected": result.unexpected,
        "missing": result.missing,
        "blind": result.success and result.is_blind,
        "may_be_accepted": result.rule.may_be_accepted,
    }


def _make_blind_finding(result: RuleResult) -> Finding:
    return Finding(
        rule=result.rule.code,
        severity="blocking",
        message="The column has no value at all. Send it filled; the contract says `may_be_empty` where that is right.",
        entity=result.rule.entity,
        column=result.rule.column,
        count=result.rows,
        total=result.rows,
    )


def _findings(settings: Settings, fill: Any, broken: list[RuleResult]) -> list[Finding]:
    """Findings of the rules that failed, with the first lines that break them: a diagnosis, not the verdict."""
    if not broken:
        return []
    with connection(settings) as con:
        fill(con)
        return [
            Finding(
                rule=one.rule.code,
                severity=one.rule.severity,
                message=one.rule.message,
                entity=one.rule.entity,
                column=one.rule.column or _columns(con, one.rule),
                count=None if one.rule.table else one.unexpected,
                total=one.rows,
                lines=() if one.rule.table else _lines(con, one.rule),
            )
            for one in broken
        ]


def _columns(con: Any, rule: Rule) -> str:
    """The columns whose evidence is beyond its limit."""
    if not rule.table:
        return ""
    query = rule.kwargs["unexpected_rows_query"].format(batch=quote(rule.table))
    names = sorted({str(row[0]) for row in con.execute(query).fetchall()} - {""})
    return ", ".join(one.replace("|", " and ") for one in names[:LINES_NAMED])


def _lines(con: Any, rule: Rule) -> tuple[int, ...]:
    if rule.broken_rows:
        condition = rule.broken_rows.replace("{table}", quote(rule.entity))
        query = f"select _line from {quote(rule.entity)} where {condition} order by _line limit {LINES_NAMED}"
    elif "_line" in (asked := str(rule.kwargs.get("unexpected_rows_query", ""))):
        query = f"select _line from ({asked.format(batch=quote(rule.entity))}) order by _line limit {LINES_NAMED}"
    else:
        return ()
    return tuple(row[0] for row in con.execute(query).fetchall())
