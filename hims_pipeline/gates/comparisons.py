"""The limits of what a batch's profile may show, `expectations/comparisons.yml`, and the rules that hold it to them.

Evidence stands in a small table, `<entity>__evidence`, and Great Expectations judges it: a rule holds where each number
is within its limit or the evidence says why there is none, and breaks where there is no word of its measure at all.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from hims_pipeline.contracts.basics import Strict
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.yaml_records import parse_record
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.evidence import Evidence
from hims_pipeline.gates.measures import MEASURES
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.gates.rules import Rule
from hims_pipeline.sql import literal, quote

FILE = "comparisons.yml"
SUFFIX = "__evidence"


class Exemption(Strict):
    """Limits of some periods, in which something is known to differ, and why. `periods` are globs."""

    source: str
    entity: str
    periods: tuple[str, ...]
    limits: dict[str, float]
    reason: Annotated[str, Field(min_length=1)]


class ComparisonLimits(Strict):
    """Limits for all, those of single entities (`source/entity`), exceptions, and the measures against which a person
    may accept a batch."""

    limits: dict[str, float]
    sources: dict[str, dict[str, float]] = Field(default_factory=dict)
    exceptions: tuple[Exemption, ...] = ()
    may_be_accepted: tuple[str, ...] = ()

    def of(self, source: str, entity: str, period: str, measure: str) -> tuple[float, dict[str, float]]:
        """The limit of a measure in a period, and those of single columns."""
        own = dict(self.sources.get(f"{source}/{entity}", {}))
        for exception in self.exceptions:
            if (exception.source, exception.entity) == (source, entity) and any(
                fnmatch(period, glob) for glob in exception.periods
            ):
                own |= exception.limits
        columns = {key[len(measure) + 1 :]: limit for key, limit in own.items() if key.startswith(f"{measure} ")}
        return own.get(measure, self.limits[measure]), columns


def load_comparison_limits(expectations: Path) -> ComparisonLimits | None:
    """The limits; None where the observatory has none, and nothing is compared.

    Raises:
        ContractError: what is wrong with them.
    """
    path = expectations / FILE
    return _load(path, path.stat().st_mtime_ns) if path.exists() else None


@lru_cache(maxsize=4)
def _load(path: Path, _modified: int) -> ComparisonLimits:
    loaded = parse_record(ComparisonLimits, path)
    listed = [loaded.limits, *loaded.sources.values(), *(exception.limits for exception in loaded.exceptions)]
    named = {key.split(" ")[0] for own in listed for key in own} | set(loaded.may_be_accepted)
    if strange := named - MEASURES.keys():
        raise ContractError(f"{path.name}: no such measure: {', '.join(sorted(strange))}.")
    if lost := MEASURES.keys() - loaded.limits.keys():
        raise ContractError(f"{path.name}: no limit for {', '.join(sorted(lost))}.")
    return loaded


def profile_rules(expectations: Path, contract: Contract, period: str) -> list[Rule]:
    """The rules on the profiles of a source's entities: one a measure and entity."""
    limits = load_comparison_limits(expectations)
    if limits is None:
        return []
    return [
        _rule(limits, contract.source, entity, period, name)
        for entity in contract.entities
        for roles in (roles_of(contract, entity, period),)
        for name, measure in MEASURES.items()
        if measure.is_for(roles)
    ]


def _rule(limits: ComparisonLimits, source: str, entity: str, period: str, name: str) -> Rule:
    measure = MEASURES[name]
    limit, columns = limits.of(source, entity, period, name)
    bound = f"{limit!r}"
    if columns:
        cases = " ".join(f"when {literal(about)} then {own!r}" for about, own in sorted(columns.items()))
        bound = f"case about {cases} else {limit!r} end"
    here = "(select * from {batch}) as told"
    query = (
        f"select about from {here} where measure = {literal(name)} and judged and not coalesce(value <= {bound}, false)"
        f" union all select '' as about where not exists (select 1 from {here} where measure = {literal(name)})"
    )
    code = re.sub(r"[^A-Z0-9]+", "-", f"{source}-{entity}-profile-{name}".upper())
    terms: dict[str, Any] = {"max_value": limit, **{f"max_value {about}": own for about, own in columns.items()}}
    if known := _exceptions(limits, source, entity, name):
        terms["exceptions"] = known  # a new one is a rule less, whichever period it is for
    return Rule(
        code, entity, "unexpected_rows_expectation", {"unexpected_rows_query": query}, "blocking", measure.en,
        messages={"fr": measure.fr, "ar": measure.ar}, terms=terms, table=entity + SUFFIX,
        may_be_accepted=name in limits.may_be_accepted,
    )  # fmt: skip


def _exceptions(limits: ComparisonLimits, source: str, entity: str, measure: str) -> list[dict[str, Any]]:
    return [
        {"periods": list(exception.periods), **own}
        for exception in limits.exceptions
        if (exception.source, exception.entity) == (source, entity)
        and (own := {key: limit for key, limit in exception.limits.items() if key.split(" ")[0] == measure})
    ]


def write_evidence(con: Any, entity: str, evidence: Sequence[Evidence], compared: bool) -> None:
    """Put the evidence on an entity into the connection, with a word on each measure that nothing was found for."""
    table, measures = quote(entity + SUFFIX), {one.measure for one in evidence}
    silent = "has no such column" if compared else "nothing to compare with"
    lines = [*evidence, *(Evidence(name, "", None, silent) for name in MEASURES if name not in measures)]
    con.execute(
        f"create or replace table {table} (measure varchar, about varchar, value double, judged boolean, why varchar)"
    )
    con.execute(
        f"insert into {table} select unnest($1::varchar[]), unnest($2::varchar[]), unnest($3::double[]),"
        " unnest($4::boolean[]), unnest($5::varchar[])",
        [
            [line.measure for line in lines], [line.about for line in lines], [line.value for line in lines],
            [line.value is not None for line in lines], [line.why for line in lines],
        ],
    )  # fmt: skip


def find_closest(several: Sequence[Sequence[Evidence]], own: Sequence[Evidence] = ()) -> list[Evidence]:
    """Of evidence beside several batches, the smallest for each measure and column: who is like one of them is well.

    Args:
        own: beside a batch of the same period, which knows better than others where it says anything.
    """
    best: dict[tuple[str, str], Evidence] = {}
    for evidence in several:
        for one in evidence:
            known = best.get((one.measure, one.about))
            if known is None or (one.value is not None and (known.value is None or one.value < known.value)):
                best[one.measure, one.about] = one
    best |= {(one.measure, one.about): one for one in own if one.value is not None}
    return list(best.values())
