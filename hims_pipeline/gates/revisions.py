"""The limits of how far a release may be from the last one, `expectations/revisions.yml`, and the rules that hold the
evidence of it to them: one a measure. A rule breaks where a number is beyond its limit, and where there is no word of
its measure at all.

Not here: what moved and why (`release.movements`, `release.causes`), and what is done about it (`release.holds`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from hims_pipeline.contracts.basics import Strict
from hims_pipeline.contracts.yaml_records import parse_record
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.judge import GateOutcome, judge_tables
from hims_pipeline.gates.rules import Rule
from hims_pipeline.settings import Settings
from hims_pipeline.sql import quote

FILE, TABLE = "revisions.yml", "moved"
Cause = Literal[
    "nothing", "new_code", "new_rules", "new_period", "corrected_delivery", "new_edition", "growing_period",
    "withdrawn_delivery",
]  # fmt: skip
CAUSES: tuple[Cause, ...] = Cause.__args__  # type: ignore[attr-defined]

# Measure -> what a person is told where it is beyond its limit.
MEASURES: dict[str, dict[str, str]] = {
    "total": {
        "en": "The total of a country moved by more than what is known to have changed explains.",
        "fr": "Le total d'un pays a bougé plus que ne l'explique ce que l'on sait avoir changé.",
        "ar": "تغيّر مجموعُ بلدٍ أكثر مما يفسّره ما نعلم أنه تغيّر.",
    },
    "part": {
        "en": "A figure of an area, a partner country or a breakdown moved by more than is explained.",
        "fr": "Un chiffre d'une zone, d'un pays partenaire ou d'une ventilation a bougé plus qu'il n'est expliqué.",
        "ar": "تغيّر رقمُ منطقةٍ أو بلدٍ شريك أو تفصيلٍ أكثر مما هو مُفسَّر.",
    },
    "gone": {
        "en": "Figures of the last release are no longer there.",
        "fr": "Des chiffres de la dernière diffusion ne sont plus là.",
        "ar": "أرقام من الإصدار الأخير لم تعد موجودة.",
    },
    "hidden": {
        "en": "Figures that had a value have none any more.",
        "fr": "Des chiffres qui avaient une valeur n'en ont plus.",
        "ar": "أرقام كانت لها قيمة لم تعد لها قيمة.",
    },
    "missing": {
        "en": "A country, area or category that was there before is missing.",
        "fr": "Il manque un pays, une zone ou une catégorie qui était là auparavant.",
        "ar": "ينقص بلد أو منطقة أو فئة كانت موجودة من قبل.",
    },
    "new_level": {
        "en": "The first figure of a new period is far from the last one.",
        "fr": "Le premier chiffre d'une nouvelle période est loin du dernier.",
        "ar": "أول رقم في فترة جديدة بعيد عن الرقم الأخير.",
    },
}


class Bounds(Strict):
    """Percent, for figures with one cause."""

    total: float = Field(ge=0)
    part: float = Field(ge=0)
    gone: float = Field(ge=0)
    hidden: float = Field(ge=0)


class Weight(Strict):
    """From where on a single figure is judged: a count or its records, and percent of the largest figure beside it."""

    smallest: float = Field(ge=0)
    share: float = Field(ge=0, le=100)


class NewLevel(Strict):
    """Percent a year between the last period and a new one, by kind of measure, and of single indicators."""

    stock: float
    flow: float
    ratio: float
    index: float
    indicators: dict[str, float] = Field(default_factory=dict)

    def of(self, indicator: str, measure_type: str) -> float:
        return self.indicators.get(indicator, getattr(self, measure_type, self.flow))


class RevisionLimits(Strict):
    """What `revisions.yml` says."""

    limits: dict[Cause, Bounds]
    weight: Weight
    missing: float
    new_level: NewLevel


def load_revision_limits(expectations: Path) -> RevisionLimits | None:
    """The limits; None where the observatory has none, and releases are compared for reading only.

    Raises:
        ContractError: what is wrong with them.
    """
    path = expectations / FILE
    return _load(path, path.stat().st_mtime_ns) if path.exists() else None


@lru_cache(maxsize=4)
def _load(path: Path, _modified: int) -> RevisionLimits:
    loaded = parse_record(RevisionLimits, path)
    if lost := set(CAUSES) - loaded.limits.keys():
        raise ContractError(f"{path.name}: no limits for {', '.join(sorted(lost))}.")
    return loaded


@dataclass(frozen=True)
class RevisionEvidence:
    """A number that a rule judges; `no` is its place among the movements, `value` None where nothing is to say."""

    measure: str
    no: int
    value: float | None
    limit: float | None


def revision_rules(limits: RevisionLimits) -> list[Rule]:
    """One rule a measure; its terms are what an inventory compares."""
    return [_rule(limits, measure) for measure in MEASURES]


def _rule(limits: RevisionLimits, measure: str) -> Rule:
    here = "(select * from {batch}) as moved"
    query = (
        f"select no from {here} where measure = '{measure}' and judged and not coalesce(value <= bound, false)"
        f" union all select -1 as no where not exists (select 1 from {here} where measure = '{measure}')"
    )
    if measure == "missing":
        terms: dict[str, Any] = {"max_value": limits.missing, "weight": limits.weight.model_dump()}
    elif measure == "new_level":
        plain = limits.new_level.model_dump(exclude={"indicators"})
        terms = {f"max_value {name}": value for name, value in (plain | limits.new_level.indicators).items()}
    else:
        terms = {f"max_value {cause}": getattr(own, measure) for cause, own in sorted(limits.limits.items())}
    message = MEASURES[measure]
    return Rule(
        revision_code(measure), "release", "unexpected_rows_expectation", {"unexpected_rows_query": query}, "blocking",
        message["en"], messages={"fr": message["fr"], "ar": message["ar"]}, terms=terms, table=TABLE,
    )  # fmt: skip


def revision_code(measure: str) -> str:
    """The stable code of a measure's rule."""
    return f"REVISION-{measure.upper().replace('_', '-')}"


def judge_revision(
    settings: Settings, limits: RevisionLimits, evidence: Sequence[RevisionEvidence]
) -> tuple[GateOutcome, set[int]]:
    """Let Great Expectations hold the evidence to the limits; returns its outcome and the numbers of what is beyond.

    Raises:
        GateError: the gate could not do its work.
    """
    beyond: set[int] = set()
    rules = revision_rules(limits)
    silent = [
        RevisionEvidence(name, -1, None, None) for name in MEASURES if name not in {one.measure for one in evidence}
    ]

    def fill(con: Any) -> None:
        lines = [*evidence, *silent]
        con.execute(
            f"create table {quote(TABLE)} (measure varchar, no bigint, value double, bound double, judged bool)"
        )
        con.execute(
            f"insert into {quote(TABLE)} select unnest($1::varchar[]), unnest($2::bigint[]), unnest($3::double[]),"
            " unnest($4::double[]), unnest($5::bool[])",
            [
                [line.measure for line in lines], [line.no for line in lines], [line.value for line in lines],
                [line.limit for line in lines], [line.no >= 0 for line in lines],
            ],
        )  # fmt: skip
        for rule in rules:
            query = rule.kwargs["unexpected_rows_query"].format(batch=quote(TABLE))
            beyond.update(row[0] for row in con.execute(query).fetchall())

    return judge_tables(settings, fill, rules), beyond
