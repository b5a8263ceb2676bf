"""An inventory of all rules that a release is held to: those of the contracts (for the readers and the gate), the
judgement suites, the release's suite, the controls, the tests of the warehouse and the policies of publication.

Not here: what became of a rule since an earlier inventory (`rule_changes`), where inventories are kept and who must
agree to a change (`release.rules`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.controls import load_controls
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.comparisons import profile_rules
from hims_pipeline.gates.compile import compile_rules, rule_code
from hims_pipeline.gates.revisions import load_revision_limits, revision_rules
from hims_pipeline.gates.rules import Rule, cannot_fail
from hims_pipeline.gates.suites import Judgement, as_rule, load_suite, suite_file
from hims_pipeline.settings import Settings

BASE = ""  # the layout of periods for which the contract names no other
# section -> {"layouts": [period, …], "rules": {code: [{…, "in": [period, …]}, …]}}
Inventory = dict[str, dict[str, Any]]


def take_inventory(settings: Settings, contracts: Iterable[Contract], dbt_manifest: dict[str, Any]) -> Inventory:
    """The rules as they are now.

    Args:
        contracts: those in force.
        dbt_manifest: dbt's manifest of the rendered project, for the tests of the warehouse.
    """
    collected: Inventory = {}
    for contract in contracts:
        collected |= _inventory_of_contract(settings, contract)
    collected["release"] = _section(_inventory_of_suite(settings.expectations / "release.json"))
    collected["revision"] = _section(_revision(settings))
    collected["across"] = _section(_inventory_of_suite(settings.expectations / "warehouse.json"))
    collected["policies"] = _section(_policies(settings))
    collected["controls"] = _section(_controls(settings))
    collected["warehouse"] = _section(_tests(dbt_manifest))
    return collected


def _inventory_of_contract(settings: Settings, contract: Contract) -> Inventory:
    periods = [BASE, *sorted({period for layout in contract.layouts for period in layout.known_periods})]
    variants: dict[str, dict[str, dict[str, Any]]] = {name: defaultdict(dict) for name in contract.entities}
    for period in periods:
        for rule in (*compile_rules(contract, period), *profile_rules(settings.expectations, contract, period)):
            _add(variants[rule.entity], rule.code, _record(rule), period)
        for name in contract.entities:
            for code, record in _inventory_of_reading(contract, name, period):
                _add(variants[name], code, record, period)
    for name in contract.entities:
        for code, record in _inventory_of_suite(suite_file(settings.expectations, contract.source, name)):
            for period in periods:
                _add(variants[name], code, record, period)
    return {
        f"{contract.source}/{name}": {
            "layouts": periods,
            "rules": {code: list(own.values()) for code, own in sorted(rules.items())},
        }
        for name, rules in variants.items()
    }


def _inventory_of_reading(contract: Contract, name: str, period: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the readers hold a delivery to before the gate does: types, what must be sent, what may be set aside;
    and what the contract says of persons and of passing on."""
    entity, form = contract.entity_in(name, period), contract.format_in(name, period)
    switches = {
        "AHEAD": {"max_value": int(contract.period.may_be_ahead)},
        "PERSONAL": {"min_value": int(contract.personal)},
        "REDISTRIBUTABLE": {"max_value": int(contract.licence.redistributable)},
    }
    for end, switch in switches.items():
        yield rule_code(contract.source, name, end), _simplify("reading", switch)
    yield rule_code(contract.source, name, "SENT"), _simplify("reading", {"min_value": int(entity.required)})
    yield rule_code(contract.source, name, "REJECTS"), _simplify("reading", {"max_value": entity.record_tolerance})
    yield rule_code(contract.source, name, "NULLS"), _simplify("reading", {"value_set": list(form.null_values)})
    for one in entity.columns:
        terms: dict[str, Any] = {"type": one.type, "value_set": list(one.allow), "sensitivity": one.sensitivity}
        terms |= {"scale": one.scale} if one.type == "decimal" else {}
        terms |= {"date_format": one.date_format} if one.type == "date" else {}
        yield rule_code(contract.source, name, one.name, "TYPE"), _simplify("reading", terms)
        if one.type == "text":
            held = {"max_value": int(bool(one.open_text)), "value_set": sorted(one.may_hold)}
            yield rule_code(contract.source, name, one.name, "OPEN"), _simplify("reading", held)


def _add(rules: dict[str, dict[str, Any]], code: str, record: dict[str, Any], period: str) -> None:
    """Note a rule for one more period; versions that say the same are one."""
    rules[code].setdefault(fingerprint(record), record | {"in": []})["in"].append(period)


def _section(rules: Iterator[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return {"layouts": [BASE], "rules": {code: [record | {"in": [BASE]}] for code, record in sorted(rules)}}


def _inventory_of_suite(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rules of a suite; none where it cannot be read, since then it judges nothing."""
    judgements: tuple[Judgement, ...] = ()
    if path.exists():
        with suppress(ContractError):
            judgements = load_suite(path).expectations
    for judgement in judgements:
        record = _record(as_rule(judgement, judgement.meta.table))
        yield judgement.meta.code, record | {"periods": list(judgement.meta.periods), "table": judgement.meta.table}


def _record(rule: Rule) -> dict[str, Any]:
    lenient = {"set_aside": rule.set_aside, "may_be_accepted": rule.may_be_accepted}
    return {
        "expectation": rule.expectation,
        "terms": (rule.terms or rule.kwargs) | {name: value for name, value in lenient.items() if value},
        "severity": rule.severity,
        "may_be_empty": rule.may_be_empty,
        "empty": cannot_fail(rule.expectation, rule.kwargs),
    }


def _simplify(expectation: str, terms: dict[str, Any], severity: str = "blocking") -> dict[str, Any]:
    return {"expectation": expectation, "terms": terms, "severity": severity, "may_be_empty": False, "empty": False}


def _revision(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """How far a release may be from the last one; nothing where that cannot be read, since then it judges nothing."""
    limits = None
    with suppress(ContractError):
        limits = load_revision_limits(settings.expectations)
    for rule in revision_rules(limits) if limits else ():
        yield rule.code, _record(rule)


def _policies(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    policies = load_observatory(settings.data).policies
    yield "POLICY-MINIMUM-COUNT", _simplify("policy", {"min_value": policies.minimum_count})
    yield "POLICY-STRICT-COUNT", _simplify("policy", {"min_value": policies.strict_count})
    for source in policies.delivered_counts:
        yield f"POLICY-DELIVERED-COUNTS-{source.upper()}", _simplify("policy", {})
    for env in policies.refuse_disclosing:
        yield f"POLICY-REFUSE-DISCLOSING-{env.upper()}", _simplify("policy", {})
    yield "POLICY-SCRUB", _simplify("policy", {"max_value": policies.scrub_within_nights})
    for source in policies.required_sources:
        yield f"POLICY-REQUIRED-{source.upper()}", _simplify("policy", {})
    for source in policies.fresh_sources:
        yield f"POLICY-FRESH-{source.upper()}", _simplify("policy", {})
    for env in policies.second_account:
        yield f"POLICY-SECOND-ACCOUNT-{env.upper()}", _simplify("policy", {})
    for code, one in load_indicators(settings.data).items():
        held = {"min_value": int(one.minimum_count) + int(one.minimum_count and one.strict)}
        yield f"POLICY-COUNT-OF-{code}", _simplify("policy", held)


def _controls(settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    for control in load_controls(settings.data):
        about = control.model_dump(mode="json", exclude={"control_id", "tolerance", "note", "published_by"})
        yield control.control_id, _simplify("control", about | {"max_value": control.tolerance})


def _tests(manifest: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for node in manifest.get("nodes", {}).values():
        if node["resource_type"] == "test" and node["config"].get("enabled", True):
            config, metadata = node["config"], node.get("test_metadata")
            terms = {name: config.get(name) for name in ("where", "limit", "error_if", "warn_if", "fail_calc")}
            terms |= {"test": metadata["name"], **metadata["kwargs"]} if metadata else {"query": node["raw_code"]}
            yield (
                node["name"],
                _simplify("dbt", terms, "warning" if config["severity"].lower() == "warn" else "blocking"),
            )
    for node in manifest.get("unit_tests", {}).values():
        if node["config"].get("enabled", True):
            yield node["name"], _simplify("dbt", {"expect": node["expect"], "given": node["given"]})
