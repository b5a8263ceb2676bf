"""Judgement rules: Great Expectations suites that statisticians keep in `expectations/`, read strictly.

`<source>__<entity>.json` judges a delivery, `release.json` what may leave. See `expectations/README.md`.
"""

import fnmatch
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from hims_pipeline.contracts.basics import Strict, Text
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.canary import KINDS
from hims_pipeline.gates.rules import Rule, cannot_fail
from hims_pipeline.lake.periods import covers


class Meta(Strict):
    """Stable code, what to tell the deliverer, and the periods that a rule is for (globs; all without any).

    Args:
        set_aside: share of rows that may be taken out since they break the rule, whose SQL then selects `_line`.
        may_be_accepted: a person may accept a batch that breaks it.
    """

    code: str
    message: Text
    periods: tuple[str, ...] = ()
    may_be_empty: bool = False
    table: str = ""
    set_aside: Annotated[float, Field(ge=0, lt=1)] = 0.0
    may_be_accepted: bool = False


class Judgement(Strict):
    """One expectation of a suite, as it stands in the file."""

    type: str
    kwargs: dict[str, Any]
    severity: Literal["critical", "warning"]
    meta: Meta


class Suite(Strict):
    """The file of a suite."""

    name: str
    expectations: tuple[Judgement, ...]
    meta: dict[str, Any] = Field(default_factory=dict)


def suite_file(expectations: Path, source: str, entity: str) -> Path:
    """Where the suite of an entity lies; the file need not be there."""
    return expectations / f"{source}__{entity}.json"


def load_suite(path: Path) -> Suite:
    """Read one suite.

    Raises:
        ContractError: what is wrong in it, with file and rule.
    """
    try:
        suite = Suite.model_validate(json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_unlike_keys))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_url=False))
        raise ContractError(f"{path.name}: {problems}") from None
    except (ValueError, RecursionError) as error:  # no text, no JSON, or nested without end
        raise ContractError(f"{path.name}: not JSON: {error}") from None
    if suite.name != path.stem:
        raise ContractError(f"{path.name}: its name is {suite.name!r}; it must be the file's, {path.stem!r}.")
    codes = [one.meta.code for one in suite.expectations]
    for expectation in suite.expectations:
        if expectation.type not in KINDS:
            raise ContractError(
                f"{path.name}: {expectation.meta.code}: {expectation.type} is none of {', '.join(KINDS)}."
            )
        if cannot_fail(expectation.type, expectation.kwargs):
            raise ContractError(
                f"{path.name}: {expectation.meta.code} can never fail: give it a bound, a value or a condition."
            )
        if expectation.meta.set_aside and not tells_rows(expectation.kwargs):
            raise ContractError(
                f"{path.name}: {expectation.meta.code}: only a rule whose SQL selects `_line` sets rows aside."
            )
        if codes.count(expectation.meta.code) > 1:
            raise ContractError(f"{path.name}: {expectation.meta.code} stands twice.")
    if not suite.expectations:
        raise ContractError(f"{path.name} has no rule: an empty suite passes everything. Delete it or write one.")
    return suite


def _unlike_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, in which no key stands twice: the last would hold, and hide a mistake."""
    if doubled := [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]:
        raise ValueError(f"{', '.join(doubled)} stands twice in one object")
    return dict(pairs)


def tells_rows(kwargs: dict[str, Any]) -> bool:
    """Does a rule's SQL say which rows break it?"""
    return bool(
        re.match(r"\s*select\s+(distinct\s+)?(\w+\.)?_line\b", str(kwargs.get("unexpected_rows_query", "")), re.I)
    )


def judgement_rules(expectations: Path, contract: Contract, period: str) -> list[Rule]:
    """The judgement rules on a source's entities that are for this period."""
    rules: list[Rule] = []
    for entity in contract.entities:
        path = suite_file(expectations, contract.source, entity)
        if path.exists():
            for expectation in load_suite(path).expectations:
                if not expectation.meta.periods or any(
                    fnmatch.fnmatch(period, glob) for glob in expectation.meta.periods
                ):
                    rules.append(_fill_period(as_rule(expectation, entity), contract, period))
    return rules


def _fill_period(rule: Rule, contract: Contract, period: str) -> Rule:
    """A rule's SQL may name the batch's period: `{period}`, its first day `{period_start}`, its last `{period_end}`."""
    query = rule.kwargs.get("unexpected_rows_query")
    if query is None:
        return rule
    first, last = covers(contract, period)
    for name, value in {"period": period, "period_start": first.isoformat(), "period_end": last.isoformat()}.items():
        query = query.replace(f"{{{name}}}", value)
    return replace(rule, kwargs={**rule.kwargs, "unexpected_rows_query": query})


def schemes_read(expectations: Path, contract: Contract) -> set[str]:
    """Crosswalk schemes that judgement rules on a source name in their SQL."""
    texts = _texts(expectations, contract)
    return {scheme for text in texts for scheme in re.findall(r"scheme\s*=\s*'(\w+)'", text)}


def reads_controls(expectations: Path, contract: Contract) -> bool:
    """Do judgement rules on a source read the control figures?"""
    return any("_controls" in text for text in _texts(expectations, contract))


def _texts(expectations: Path, contract: Contract) -> list[str]:
    paths = [suite_file(expectations, contract.source, entity) for entity in contract.entities]
    return [path.read_text(encoding="utf-8") for path in paths if path.exists()]


_SINGLE = re.compile(r"\)\s+as\s+\w+\s+where\s+(?P<condition>.+)$", re.IGNORECASE | re.DOTALL)
_AGGREGATE = re.compile(r"\b(avg|sum|min|max|median|mode|stddev\w*|var\w*|quantile\w*|count)\s*\(", re.IGNORECASE)
_MANY_ROWS = re.compile(r"\bgroup\s+by\b|\bover\s*\(|\bunion\b", re.IGNORECASE)


def break_on_nothing(query: str) -> str:
    """A query of a rule on one row of aggregates, such that a figure over no value breaks it: `avg(…) not between` is
    NULL there, and NULL would pass. Other queries stay as they are: their rows may have nothing to say."""
    match = _SINGLE.search(query)
    if match is None or "from (" not in query[: match.start()].lower():
        return query
    inner = query[query.lower().index("from (") + 6 : match.start()]
    if (
        not _AGGREGATE.search(inner)
        or _MANY_ROWS.search(inner)
        or _is_unbalanced(inner)
        or _is_unbalanced(match["condition"])
    ):
        return query
    start, end = match.span("condition")
    return f"{query[:start]}coalesce(({query[start:end]}), true){query[end:]}"


def _is_unbalanced(text: str) -> bool:
    """Do brackets open and close within a piece of SQL otherwise than in pairs?"""
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return True
    return depth != 0


def as_rule(judgement: Judgement, entity: str) -> Rule:
    """A judgement as the gate evaluates it."""
    kwargs = dict(judgement.kwargs)
    if "unexpected_rows_query" in kwargs and not judgement.meta.may_be_empty:
        kwargs["unexpected_rows_query"] = break_on_nothing(kwargs["unexpected_rows_query"])
    return Rule(
        code=judgement.meta.code,
        entity=entity,
        expectation=judgement.type,
        kwargs=kwargs,
        severity="blocking" if judgement.severity == "critical" else "warning",
        message=judgement.meta.message.en,
        column=str(judgement.kwargs.get("column", "")),
        may_be_empty=judgement.meta.may_be_empty,
        messages=judgement.meta.message.others,
        set_aside=judgement.meta.set_aside,
        may_be_accepted=judgement.meta.may_be_accepted,
    )


def suites_sha256(expectations: Path, contract: Contract) -> str:
    """Hash of the judgement files on a source's entities."""
    digest = hashlib.sha256()
    for entity in contract.entities:
        path = suite_file(expectations, contract.source, entity)
        digest.update(f"{entity}\0".encode() + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()
