"""The report on a delivery as a record: what its page shows, and what programs read. Texts by language; no value of the
data, no name of a file and no word of the sender."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.basics import Text
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.gates import rules_of
from hims_pipeline.gates.comparisons import load_limits
from hims_pipeline.gates.measures import MEASURES
from hims_pipeline.gates.profile import Profile, read_profile
from hims_pipeline.gates.rules import Rule
from hims_pipeline.lake import batches
from hims_pipeline.lake.batches import Manifest
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import Finding, Verdict
from hims_pipeline.reporting.plots import Plot, plot_of
from hims_pipeline.reporting.sentences import LANGUAGES, message_of
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.words import printable

Report = dict[str, Any]


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
    now, before = _profiles(settings, delivery, folder, verdict)
    findings = []
    for one in verdict.findings:
        message, detail = message_of(one, rules, results)
        findings.append(_finding(contract, delivery.period, one, message, detail))
        findings[-1] |= _drawn(settings, contract, delivery.period, one, now, before)
        findings[-1]["may_be_accepted"] = bool(results.get(one.rule, {}).get("may_be_accepted"))
        aside = [part for part in verdict.set_aside if part.rule == one.rule]
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


def _finding(contract: Contract, period: str, one: Finding, message: dict[str, str], detail: str) -> dict[str, Any]:
    title = contract.entities[one.entity].title if one.entity in contract.entities else None
    labels = [
        _texts(column.label) if isinstance(column.label, Text) else dict.fromkeys(LANGUAGES, column.label)
        for column in (contract.entity_in(one.entity, period).columns if title else ())
        if column.name == one.column and column.label
    ]
    return {
        "rule": one.rule,
        "severity": one.severity,
        "file": str(one.file),
        "entity": one.entity,
        "entity_title": _texts(title) if title else dict.fromkeys(LANGUAGES, one.entity),
        "column": one.column,
        "column_label": labels[0] if labels else None,
        "message": message,
        "detail": detail,
        "count": one.count,
        "total": one.total,
        "lines": list(one.lines),
        "lines_are": one.lines_are,
    }


def _profiles(
    settings: Settings, delivery: Delivery, folder: Path, verdict: Verdict
) -> tuple[dict[str, Profile], dict[str, Profile]]:
    """The profile of the batch and that of the first one it was compared with, as far as they are those of the verdict.

    A plot is an extra: without them the report says all the same.
    """
    wanted = {folder / batches.PROFILE: verdict.profile_sha256}
    for other, sha256 in list(verdict.compared_with.items())[:1]:
        wanted[settings.validated.joinpath(*other.split("/")) / batches.PROFILE] = sha256
    found: list[dict[str, Profile]] = []
    with connection(settings) as con:
        for path, sha256 in wanted.items():
            whole = bool(sha256) and path.is_file() and sha256_of(path) == sha256
            found.append(read_profile(con, path) if whole else {})
    return found[0], found[1] if len(found) > 1 else {}


def _drawn(
    settings: Settings,
    contract: Contract,
    period: str,
    one: Finding,
    now: dict[str, Profile],
    before: dict[str, Profile],
) -> dict[str, Any]:
    """The limit of a finding on the profile, and what it is drawn by."""
    measure = next((name for name in MEASURES if one.rule.endswith(_tail(name)) and "-PROFILE-" in one.rule), "")
    limits = load_limits(settings.expectations) if measure else None
    plots: list[Plot] = []
    if measure and one.entity in now:
        for column in (one.column.split(", ") if one.column else [""])[:3]:
            drawn = plot_of(
                settings, contract, one.entity, period, measure, column, now[one.entity], before.get(one.entity)
            )
            plots += [drawn] if drawn else []
    limit = limits.of(contract.source, one.entity, period, measure)[0] if limits and measure in limits.limits else None
    return {"measure": measure, "limit": limit, "plots": [asdict(plot) for plot in plots]}


def _tail(measure: str) -> str:
    return f"-PROFILE-{measure.upper().replace('_', '-')}"
