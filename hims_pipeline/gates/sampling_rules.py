"""The rules that units drawn fit the number that a stratum, or a primary unit, has of them, where errors rest on it."""

from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.model import Entity
from hims_pipeline.gates.rule_making import Make, rows_rule
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.sentences import say
from hims_pipeline.sql import quote


def drawn_rules(make: Make, entity: Entity, design: Design | None) -> list[Rule]:
    """One number a stratum, and no fewer than the units drawn of it, and so for the units of a second stage in each
    primary one; no rule where the entity lacks the columns."""
    if design is None:
        return []
    stages = [
        ("UNITS", design.population_units, design.strata, design.psu),
        ("SSUS", design.population_ssus, (*design.strata, *design.psu), design.ssu),
    ]
    kept = {column.name for column in entity.kept_columns}
    return [
        _rule(make, code, counted, within, units)
        for code, counted, within, units in stages
        if counted and {*within, *units, counted} <= kept
    ]


def _rule(make: Make, code: str, column: str, within: tuple[str, ...], units: tuple[str, ...]) -> Rule:
    counted = quote(column)
    places, drawn = (", ".join(quote(name) for name in names) for names in (within, units))
    query = (
        f"select {places} from {{batch}} group by {places} having count({counted}) < count(*)"
        f" or min({counted}) < max({counted}) or min({counted}) < count(distinct ({drawn}))"
    )
    message = say("drawn", column=column, strata=", ".join(within))
    terms = {"column": column, "strata": list(within), "psu": list(units)}
    return rows_rule(make, code, query, message, terms=terms)
