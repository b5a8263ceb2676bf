"""The rule that a stratum's units drawn fit the number that it has, where a design's errors rest on that number."""

from hims_pipeline.contracts.design import Design
from hims_pipeline.contracts.model import Entity
from hims_pipeline.gates.made import Make, rows_rule
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.sentences import say
from hims_pipeline.sql import quote


def drawn_rules(make: Make, entity: Entity, design: Design | None) -> list[Rule]:
    """One number a stratum, and no fewer than the units drawn of it; no rule where the entity lacks the columns."""
    if design is None or design.population_units is None:
        return []
    needed = {*design.strata, *design.psu, design.population_units}
    if not needed <= {column.name for column in entity.kept_columns}:
        return []
    counted = quote(design.population_units)
    strata, units = (", ".join(quote(name) for name in names) for names in (design.strata, design.psu))
    query = (
        f"select {strata} from {{batch}} group by {strata} having count({counted}) < count(*)"
        f" or min({counted}) < max({counted}) or min({counted}) < count(distinct ({units}))"
    )
    message = say("drawn", column=design.population_units, strata=", ".join(design.strata))
    terms = {"column": design.population_units, "strata": list(design.strata), "psu": list(design.psu)}
    return [rows_rule(make, "UNITS", query, message, terms=terms)]
