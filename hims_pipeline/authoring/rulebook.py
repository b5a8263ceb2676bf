"""All rules of a source in words: code, severity, sentence, threshold, what may be done about it, and what it has
caught in the deliveries that are on disk."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.gates.comparisons import profile_rules
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.suites import as_rule, load_suite, suite_file
from hims_pipeline.intake import contract_of
from hims_pipeline.lake import batches, landing
from hims_pipeline.settings import Settings


@dataclass
class Caught:
    """What a rule did in the batches on disk: how many it judged, how many broke it, rows set aside, the last batch."""

    judged: int = 0
    broken: int = 0
    rows_aside: int = 0
    last: str = ""


def show_rules(settings: Settings, name: str, language: str, period: str) -> Iterator[str]:
    """Lines about each rule of a source, or of `source/entity`.

    Raises:
        HimsError: there is no such source or entity.
    """
    source, _, entity = name.partition("/")
    contract = contract_of(settings, source)
    if entity and entity not in contract.entities:
        raise HimsError(f"{source} has no entity {entity!r}; it has {', '.join(contract.entities)}.")
    caught = _describe_caught(settings, source)
    for word in rules_in_words(settings, contract, period):
        if entity in ("", word.entity):
            yield from _lines(word, language, caught[word.code])


def rules_in_words(settings: Settings, contract: Contract, period: str) -> list[Rule]:
    """The rules of a contract in a period (`""`: the base layout): compiled, of suites for any period, on profiles."""
    suites = []
    for entity in contract.entities:
        path = suite_file(settings.expectations, contract.source, entity)
        suites += (
            [as_rule(expectation, entity) for expectation in load_suite(path).expectations] if path.exists() else []
        )
    return [*compile_rules(contract, period), *suites, *profile_rules(settings.expectations, contract, period)]


def _describe_caught(settings: Settings, source: str) -> dict[str, Caught]:
    caught: dict[str, Caught] = defaultdict(Caught)
    for delivery in sorted(landing.deliveries(settings, source), key=lambda delivery: delivery.sequence):
        verdict = batches.prove_batch(settings, delivery).verdict
        for result in verdict.rules if verdict else ():
            caught_rule = caught[result["code"]]
            caught_rule.judged += 1
            if not result["success"] or result["blind"]:
                caught_rule.broken, caught_rule.last = caught_rule.broken + 1, delivery.batch
        for part in verdict.set_aside if verdict else ():
            caught[part.rule].rows_aside += part.rows
            caught[part.rule].last = delivery.batch
    return caught


def _lines(rule: Rule, language: str, caught: Caught) -> Iterator[str]:
    where = f"{rule.entity}.{rule.column}" if rule.column else rule.entity
    yield f"{rule.code}  [{rule.severity}, {where}]"
    yield f"    {rule.messages.get(language) or rule.message}"
    if bounds := _bounds(rule):
        yield f"    threshold: {bounds}"
    if rule.set_aside:
        yield f"    up to {rule.set_aside:.2%} of the rows that break it are set aside"
    if rule.may_be_accepted:
        yield "    a person may accept a batch against it"
    if not caught.judged:
        yield "    has judged no batch yet"
    elif caught.broken or caught.rows_aside:
        aside = f", {caught.rows_aside:,} rows set aside" if caught.rows_aside else ""
        yield f"    caught {caught.broken:,} of {caught.judged:,} batches{aside}; last {caught.last}"
    else:
        yield f"    caught none of {caught.judged:,} batches"


def _bounds(rule: Rule) -> str:
    terms: dict[str, Any] = rule.terms or rule.kwargs
    messages = []
    for name in ("min_value", "max_value", "mostly"):
        if isinstance(value := terms.get(name), int | float | str):
            messages.append(f"{name} {value:.10g}" if isinstance(value, float) else f"{name} {value}")
    messages += [f"{name} {value}" for name, value in terms.items() if name.startswith("max_value ")]
    if isinstance(values := terms.get("value_set"), list) and values:
        messages.append(f"{len(values)} values")
    query = str(rule.kwargs.get("unexpected_rows_query", "")) if not rule.terms else ""
    tail = query.lower().rfind(" where ")
    return ", ".join(messages) or (query[tail + 7 :] if tail >= 0 and not rule.terms else "")
