"""The report on a delivery as a record: what its page shows, and what programs read. Texts by language; no value of the
data, no name of a file and no word of the sender."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.basics import Text
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.gates import rules_of
from hims_pipeline.gates.comparisons import load_comparison_limits
from hims_pipeline.gates.measures import MEASURES
from hims_pipeline.gates.profile import read_profile
from hims_pipeline.gates.rules import Rule
from hims_pipeline.lake import batches
from hims_pipeline.lake.batches import Manifest
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import Finding, Verdict
from hims_pipeline.reporting.measured import Profiles, measure_entity
from hims_pipeline.reporting.plots import Plot, plot_of
from hims_pipeline.reporting.sentences import LANGUAGES, message_of
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.words import printable

Report = dict[str, Any]
MOST_DRAWN = 3  # columns of a finding


def report_of(
    settings: Settings,
    contract: Contract,
    delivery: Delivery,
    folder: Path,
    verdict: Verdict,
    manifest: Manifest | None,
) -> Report:
    """All that a report says of one judged delivery.

    Args:
        folder: where the batch lies, with its profile.
        manifest: None where the delivery could not be read.
    """
    rules = _rules(settings, contract, delivery.period)
    results = {one["code"]: one for one in verdict.rules}
    compared, drawn = _profiles(settings, folder, verdict), set[Any]()
    findings = []
    for finding in verdict.findings:
        message, detail = message_of(finding, rules, results)
        findings.append(_finding(contract, delivery.period, finding, message, detail))
        findings[-1] |= _draw_finding(settings, contract, delivery.period, finding, compared, drawn)
        findings[-1]["may_be_accepted"] = bool(results.get(finding.rule, {}).get("may_be_accepted"))
        aside = [part for part in verdict.set_aside if part.rule == finding.rule]
        findings[-1]["set_aside"] = asdict(aside[0]) if aside else None
    held = sum(1 for one in verdict.rules if one["success"] and not one["blind"])
    return {
        "batch": delivery.batch,
        "title": _texts(contract.title),
        "to": f"{contract.owner.institution} ({contract.owner.contact})",
        "period": delivery.period,
        "received_at": delivery.received_at,
        "judged_at": verdict.judged_at,
        "status": "overruled" if verdict.is_overruled else verdict.status,
        "stage": verdict.stage,
        "withdrawn": printable(delivery.withdrawn),
        "synthetic": contract.data_kind == "synthetic",
        "files": [{"file": n, "bytes": one.size, "sha256": one.sha256} for n, one in enumerate(delivery.files, 1)],
        "entities": _entities(contract, manifest),
        "rules": {"declared": verdict.declared, "held": held},
        "compared_with": list(verdict.compared_with),
        "transport": verdict.transport,
        "may_be_accepted": verdict.status == "refused" and not verdict.forbidding,
        "acceptance": asdict(verdict.acceptance) if verdict.acceptance and verdict.is_overruled else None,
        "findings": findings,
        "verdict_sha256": verdict.sha256,
    }


def _rules(settings: Settings, contract: Contract, period: str) -> dict[str, Rule]:
    try:
        return {rule.code: rule for rule in rules_of(settings, contract, period)}
    except ContractError:  # suites that are being edited: what the verdict says itself is told
        return {}


def _texts(text: Text) -> dict[str, str]:
    return {language: text.get(language) or text.en for language in LANGUAGES}


def _entities(contract: Contract, manifest: Manifest | None) -> list[dict[str, Any]]:
    return [
        {
            "entity": name,
            "title": _texts(contract.entities[name].title)
            if name in contract.entities
            else dict.fromkeys(LANGUAGES, name),
            "rows": one.rows,
            "unread": one.rejected,
            "set_aside": one.set_aside,
        }
        for name, one in (manifest.entities if manifest else {}).items()
    ]


def _finding(contract: Contract, period: str, finding: Finding, message: dict[str, str], detail: str) -> dict[str, Any]:
    title = contract.entities[finding.entity].title if finding.entity in contract.entities else None
    labels = [
        _texts(column.label) if isinstance(column.label, Text) else dict.fromkeys(LANGUAGES, column.label)
        for column in (contract.entity_in(finding.entity, period).columns if title else ())
        if column.name == finding.column and column.label
    ]
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "file": str(finding.file),
        "entity": finding.entity,
        "entity_title": _texts(title) if title else dict.fromkeys(LANGUAGES, finding.entity),
        "column": finding.column,
        "column_label": labels[0] if labels else None,
        "message": message,
        "detail": detail,
        "count": finding.count,
        "total": finding.total,
        "lines": list(finding.lines),
        "lines_are": finding.lines_are,
    }


@dataclass(frozen=True)
class _Compared:
    """A batch's profile and those of the batches that it was compared with, with their periods, by entity."""

    now: Profiles
    before: list[tuple[str, Profiles]]


def _profiles(settings: Settings, folder: Path, verdict: Verdict) -> _Compared:
    """The profiles that a verdict rests on, as far as they are still there: plots are an extra, and without them the
    report says all the same."""
    with connection(settings) as con:

        def read(path: Path, sha256: str) -> Profiles:
            whole = bool(sha256) and path.is_file() and sha256_of(path) == sha256
            return read_profile(con, path) if whole else {}

        others = [
            (other.split("/")[1], read(settings.validated.joinpath(*other.split("/")) / batches.PROFILE, sha256))
            for other, sha256 in verdict.compared_with.items()
        ]
        return _Compared(read(folder / batches.PROFILE, verdict.profile_sha256), others)


def _draw_finding(
    settings: Settings, contract: Contract, period: str, finding: Finding, compared: _Compared, drawn: set[Any]
) -> dict[str, Any]:
    """The limit of a finding on the profile, what was measured, and what it is drawn by, each picture once."""
    measure = next((name for name in MEASURES if finding.rule.endswith(_tail(name))), "")
    limits = load_comparison_limits(settings.expectations) if measure else None
    if limits is None or measure not in limits.limits:
        return {"measure": "", "measured": [], "plots": []}
    plots: list[Plot] = []
    columns = finding.column.split(", ") if finding.column else [""]
    before = next((read[finding.entity] for _, read in compared.before if finding.entity in read), None)
    for column in columns[:MOST_DRAWN] if finding.entity in compared.now else ():
        plot = plot_of(
            settings, contract, finding.entity, period, measure, column, compared.now[finding.entity], before
        )
        if plot and (finding.entity, plot.kind, plot.about) not in drawn:
            drawn.add((finding.entity, plot.kind, plot.about))
            plots.append(plot)
    measured = measure_entity(contract, finding.entity, period, compared.now, compared.before)
    bound, own = limits.of(contract.source, finding.entity, period, measure)
    limits_told = [
        {"about": about, "value": measured.get((measure, about)), "limit": own.get(about.replace(" and ", "|"), bound)}
        for about in columns
    ]
    return {"measure": measure, "measured": limits_told, "plots": [asdict(plot) for plot in plots]}


def _tail(measure: str) -> str:
    return f"-PROFILE-{measure.upper().replace('_', '-')}"
