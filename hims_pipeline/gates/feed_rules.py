"""Rules that follow from what columns are mapped into: what a fact cannot hold is refused here, since it would end the
build of all sources."""

from decimal import Decimal

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.fact_columns import FactColumn
from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.joins import read_by_feeds
from hims_pipeline.contracts.missing import MISSING_SUFFIX
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.values import value_of
from hims_pipeline.gates.rule_making import Make, condition_rule, rows_rule
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.sentences import say
from hims_pipeline.sql import quote


def fit_rules(make: Make, contract: Contract, name: str, period: str) -> list[Rule]:
    """Numbers that a fact's column cannot hold would end the build for all sources."""
    facts, limits = load_fact_columns(), dict[str, tuple[Decimal, Decimal]]()
    entity = contract.entity_in(name, period)
    for feed, mappings in read_by_feeds(contract.at(period).entities, name):
        for target, mapping in mappings:
            bounds = facts[feed.fact][target].bounds if target in facts.get(feed.fact, {}) else None
            if mapping.from_ is None or mapping.codes or mapping.take != "value" or bounds is None:
                continue
            factor = abs(Decimal(str(mapping.multiply or 1)))
            low, high = limits.get(mapping.from_, bounds)
            limits[mapping.from_] = (max(low, bounds[0] / factor), min(high, bounds[1] / factor))
    rules = []
    for column in entity.kept_columns:
        if column.name in limits and not _lies_within(column, *limits[column.name]):
            low, high = limits[column.name]
            broken = f"{quote(column.name)} not between {low:f} and {high:f}"
            message = say("fits", low=f"{low:g}", high=f"{high:g}")
            rules.append(
                condition_rule(make, "FITS", broken, message, column, min_value=float(low), max_value=float(high))
            )
    return rules


def needed_rules(make: Make, contract: Contract, name: str, period: str) -> list[Rule]:
    """An empty cell where a fact's column must be filled would end the build for all sources. Which rows a feed leaves
    out by a mapped value is not known here: such a feed is held to it in the columns that it leaves rows out by."""
    facts, entity, broken = load_fact_columns(), contract.entity_in(name, period), dict[str, str]()
    for feed, mappings in read_by_feeds(contract.at(period).entities, name):
        for target, mapping in mappings:
            fact_column = facts[feed.fact].get(target) if feed.fact in facts else None
            filled_otherwise = mapping.default is not None or mapping.when or mapping.take != "value"
            if fact_column is None or not fact_column.is_needed or mapping.from_ is None or filled_otherwise:
                continue
            if feed.exclude and target not in feed.exclude:
                continue
            column = entity.column(mapping.from_)
            if column is None:
                continue
            if empty := _comes_empty(column, column.required or column.name in entity.key, fact_column):
                broken[column.name] = empty
    message = say("needed")
    return [
        rows_rule(make, "NEEDED", f"select 1 as broken from {{batch}} where {condition}", message, column, condition,
              {"column": column.name})
        for column in entity.kept_columns if (condition := broken.get(column.name))
    ]  # fmt: skip


def _comes_empty(column: Column, required: bool, target: FactColumn) -> str:
    """SQL: the rows in which a mapping makes nothing of a column; empty where another rule sees them. A special code
    stands in a text for what is declared missing; in a number or a date nothing does."""
    name, absent = quote(column.name), column.absent
    lies = absent.condition(name) if target.kind != "text" else ""
    if required and not lies and (target.kind == "text" or not absent.has_reason):
        return ""
    if target.kind == "text" and absent.has_reason:
        return f"{name} is null and {quote(column.name + MISSING_SUFFIX)} is null"
    return f"({name} is null or coalesce({lies}, false))" if lies else f"{name} is null"


def _lies_within(column: Column, low: Decimal, high: Decimal) -> bool:
    """Does the contract itself keep the column's values within these bounds?"""
    least, most = (None if one is None else value_of("number", one) for one in (column.minimum, column.maximum))
    values = [value for code in column.codes or () if isinstance(value := column.value_of(code), Decimal)]
    if values:
        least, most = min(values), max(values)
    return isinstance(least, Decimal) and isinstance(most, Decimal) and low <= least and most <= high
