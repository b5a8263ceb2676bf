"""What each column of an entity is to a judge: sex, age, area, post, date, weight, amount and so on, by what the
contract maps it into. Not here: what is held against a column of some role (`evidence`, `differences`)."""

import re
from dataclasses import dataclass
from typing import Literal

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.model import Contract, Entity

RoleName = Literal[
    "key", "identifier", "sex", "age", "birth_year", "birth_date", "area", "post", "country", "date", "year", "period",
    "weight", "amount", "currency", "category", "text",
]  # fmt: skip
_BY_TARGET: dict[str, RoleName] = {
    "sex": "sex", "age_years": "age", "birth_year": "birth_year", "birth_date": "birth_date", "currency": "currency",
    "post_code": "post",
}  # fmt: skip
# What may be spread over periods, cells and units: shares of it say something where a row is no person.
SHARED: tuple[RoleName, ...] = ("sex", "area", "post", "country", "category", "currency")


@dataclass(frozen=True)
class Roles:
    """The roles of an entity's kept columns in one period.

    Args:
        of: column -> role.
        codes: column of sex -> conformed code (`M`, `F`) -> the codes sent for it.
        counts_rows: a row is a person or an event; else a cell, whose amount counts.
        employers: identifiers of whom many rows belong to; the more rows, the more to each.
    """

    of: dict[str, RoleName]
    codes: dict[str, dict[str, tuple[str, ...]]]
    counts_rows: bool
    employers: frozenset[str] = frozenset()

    def columns_with(self, *roles: RoleName) -> list[str]:
        """The columns of some roles, in the order of the file."""
        return [name for name, role in self.of.items() if role in roles]

    def first_column(self, *roles: RoleName) -> str | None:
        """The first column of some roles, None where there is none."""
        return next(iter(self.columns_with(*roles)), None)


def roles_of(contract: Contract, name: str, period: str) -> Roles:
    """The roles of an entity's columns."""
    entity = contract.entity_in(name, period)
    design = entity.design or contract.design
    weights = {design.weight} if design and design.weight else set()
    targets: dict[str, str] = {}
    facts, counts_rows = load_fact_columns(), True
    codes: dict[str, dict[str, tuple[str, ...]]] = {}
    for feed in entity.feeds:
        for target, mapping in feed.columns.items():
            if mapping.from_ is None:
                continue
            targets.setdefault(mapping.from_, target)
            taken = facts.get(feed.fact, {}).get(target)
            counts_rows = counts_rows and not (taken and taken.is_total)
            if target == "sex" and mapping.codes:
                codes[mapping.from_] = {
                    sex: tuple(str(sent) for sent, to in mapping.codes.items() if to == sex) for sex in ("M", "F")
                }
            if target.startswith("weight"):
                weights.add(mapping.from_)
    role_of = {
        column.name: _role(column, entity, targets.get(column.name, ""), weights) for column in entity.kept_columns
    }
    employers = frozenset(sent for sent, target in targets.items() if target == "employer_id")
    return Roles(role_of, codes, counts_rows, employers)


def _tells_birth(column: Column) -> bool:
    """Is a column that no fact takes as a birth one by its label?"""
    label = column.label if isinstance(column.label, str) else column.label.en
    return re.search(r"\b(birth|born)\b", label, re.IGNORECASE) is not None


def _role(column: Column, entity: Entity, target: str, weights: set[str]) -> RoleName:
    stated = entity.period.columns if entity.period else ()
    if column.sensitivity == "identifier":
        return "identifier"
    if column.name in weights:
        return "weight"
    if target in _BY_TARGET:
        return _BY_TARGET[target]
    if column.type == "date":
        return "birth_date" if column.name not in stated and _tells_birth(column) else "date"
    if column.name in stated:
        return "period" if not (entity.period and entity.period.up_to) else "year"
    if column.crosswalk:
        return "area" if target.endswith("area_code") or column.crosswalk.startswith(("INS_", "ISO_")) else "country"
    if column.codes:
        return "category"
    if column.name in entity.key:
        return "key"
    numeric = column.type in ("integer", "decimal", "number")
    low, high = column.minimum, column.maximum
    within = isinstance(low, float) and isinstance(high, float) and 1800 < low < high < 2200
    if numeric and (target.endswith("year") or within):
        return "birth_year" if _tells_birth(column) else "year"
    return "amount" if numeric else "text"
