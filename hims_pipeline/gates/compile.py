"""A contract's rules, compiled into expectations. Codes are made of names, so they stay as long as the names do:
`RGPH-PERSONS-SEX-CODES`, `RGPH-PERSONS-KEY`. What a contract declares missing breaks none of them. No rule here needs a
judgement; those stand in `expectations/`."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hims_pipeline.contracts.columns import Column, Reference
from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.joins import read_by_feeds
from hims_pipeline.contracts.missing import MISSING_SUFFIX
from hims_pipeline.contracts.model import Contract, Entity
from hims_pipeline.contracts.values import NUMERIC, value_of, value_sql
from hims_pipeline.gates.period import period_rule
from hims_pipeline.gates.rules import Rule
from hims_pipeline.lake.periods import is_period
from hims_pipeline.sql import literal, literals, quote

Make = Callable[..., Rule]


def compile_rules(contract: Contract, period: str) -> list[Rule]:
    """All rules that follow from a contract for one period, entity by entity."""
    rules: list[Rule] = []
    for name in contract.entities:
        rules += _entity_rules(contract, name, contract.entity_in(name, period), period)
    return rules


def rule_code(*parts: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", "-".join(parts).upper()).strip("-")


def _entity_rules(contract: Contract, name: str, entity: Entity, period: str) -> list[Rule]:
    def make(
        suffix: str, expectation: str, kwargs: dict[str, Any], message: str, column: Column | None = None, **more
    ) -> Rule:
        about = (column.name,) if column else ()
        return Rule(
            code=rule_code(contract.source, name, *about, suffix),
            entity=name,
            expectation=expectation,
            kwargs=kwargs,
            severity="blocking",
            message=message,
            column=column.name if column else "",
            may_be_empty=column.may_be_empty if column else True,
            **more,
        )

    rules = [
        make(
            "ROWS",
            "expect_table_row_count_to_be_between",
            {"min_value": entity.minimum_rows},
            f"Fewer than {entity.minimum_rows} rows arrived. Send the whole file.",
        )
    ]
    for column in entity.kept_columns:
        rules += _column_rules(make, column, column.required or column.name in entity.key)
    if entity.key:
        rules.append(_key_rule(make, entity))
    rules += [_orphan_rule(make, contract, name, reference) for reference in entity.references]
    rules += _fit_rules(make, contract, name, period)
    if entity.period and entity.period.columns and is_period(contract, period):
        rules.append(_rows(make, "PERIOD", *period_rule(contract, entity, entity.period, period)))
    return rules


def _column_rules(make: Make, column: Column, required: bool) -> list[Rule]:
    rules, name = [], quote(column.name)
    if required:
        rules.append(_required_rule(make, column))
    if column.unique:
        held = f" where {unless}" if (unless := _unless_missing(column)) else ""
        doubled = f"select {name} from {{batch}}{held} group by {name} having count(*) > 1"
        broken = f"{name} in ({doubled.replace('{batch}', '{table}')})"
        message = "Each value may stand in one row only. Remove the doubled rows."
        rules.append(_rows(make, "UNIQUE", doubled, message, column, broken, {"column": column.name}))
    if column.codes is not None:
        rules.append(_codes_rule(make, column))
    if column.minimum is not None or column.maximum is not None:
        rules.append(_range_rule(make, column))
    if column.pattern and column.sensitivity != "identifier":
        broken = f"not regexp_full_match({name}, {literal(column.pattern)})"
        rules.append(
            _where(
                make,
                "PATTERN",
                broken,
                f"Values must be written as the pattern {column.pattern} says.",
                column,
                pattern=column.pattern,
            )
        )
    if column.crosswalk:
        known = f"select code from _crosswalks where scheme = {literal(column.crosswalk)}"
        broken = f"cast({name} as varchar) not in ({known})"
        message = (
            f"Codes must be those of the list {column.crosswalk}. Correct them, or ask for the list to be extended."
        )
        rules.append(
            _where(make, "XWALK", broken, message, column, scheme=column.crosswalk, value_set=_missing(column))
        )
    return rules


def _required_rule(make: Make, column: Column) -> Rule:
    message, name = "A value is required in every row. Fill in the missing ones.", quote(column.name)
    if not column.absent.has_reason:
        return make("REQUIRED", "expect_column_values_to_not_be_null", {"column": column.name}, message, column,
                    broken_rows=f"{name} is null")  # fmt: skip
    broken = f"{name} is null and {quote(column.name + MISSING_SUFFIX)} is null"
    return _rows(make, "REQUIRED", f"select 1 as broken from {{batch}} where {broken}", message, column, broken,
                 {"column": column.name, "value_set": _missing(column)})  # fmt: skip


def _rows(
    make: Make,
    suffix: str,
    query: str,
    message: str,
    column: Column | None = None,
    broken: str = "",
    terms: dict[str, Any] | None = None,
) -> Rule:
    escaped = query.replace("{batch}", "\0").replace("{", "{{").replace("}", "}}").replace("\0", "{batch}")
    kwargs = {"unexpected_rows_query": escaped}
    return make(suffix, "unexpected_rows_expectation", kwargs, message, column, broken_rows=broken, terms=terms or {})


def _where(make: Make, suffix: str, broken: str, message: str, column: Column, **terms: Any) -> Rule:
    """A rule on the values of a column: those that stand for none are left out."""
    held = " and ".join(one for one in (f"{quote(column.name)} is not null", _unless_missing(column), broken) if one)
    query = f"select 1 as broken from {{batch}} where {held}"
    return _rows(make, suffix, query, message, column, held, {"column": column.name, **terms})


def _missing(column: Column) -> list[str]:
    """What stands for no value, which a rule on the values lets pass."""
    return sorted(str(code) for code in column.missing)


def _unless_missing(column: Column) -> str:
    condition = column.absent.condition(quote(column.name))
    return f"not coalesce({condition}, false)" if condition else ""


def _codes_rule(make: Make, column: Column) -> Rule:
    codes = [str(code) for code in column.codes or ()]
    listed = ", ".join(codes[:12]) + (", …" if len(codes) > 12 else "")
    values = ", ".join(value_sql(column.type, value) for code in codes if (value := column.value_of(code)) is not None)
    message = f"Codes must be among {listed}. Correct the others, or ask for the contract to be extended."
    valid = column.valid_codes()
    if valid is not None and column.type in ("integer", "text"):  # a kind that also sees whether there was a value
        value_set = [int(code) for code in valid] if column.type == "integer" else valid
        broken = f"{quote(column.name)} is not null and {quote(column.name)} not in ({literals(value_set)})"
        return make("CODES", "expect_column_values_to_be_in_set", {"column": column.name, "value_set": value_set},
                    message, column, broken_rows=broken)  # fmt: skip
    broken = f"{quote(column.name)} not in ({values})"
    return _where(make, "CODES", broken, message, column, value_set=sorted({*codes, *_missing(column)}))


def _range_rule(make: Make, column: Column) -> Rule:
    name, bounds = quote(column.name), []
    kind = "number" if column.type in NUMERIC else column.type
    for sign, bound in (("<", column.minimum), (">", column.maximum)):
        if bound is not None and (value := value_of(kind, bound)) is not None:
            bounds.append(f"{name} {sign} {value_sql('decimal' if kind == 'number' else kind, value)}")
    limits = " to ".join("…" if bound is None else f"{bound:g}" if isinstance(bound, float) else str(bound)
                         for bound in (column.minimum, column.maximum))  # fmt: skip
    broken = f"({' or '.join(bounds)})"
    message = f"Values must lie in {limits}. Check the unit and the column."
    terms = {"min_value": column.minimum, "max_value": column.maximum, "value_set": _missing(column)}
    return _where(make, "RANGE", broken, message, column, **terms)


def _fit_rules(make: Make, contract: Contract, name: str, period: str) -> list[Rule]:
    """Numbers that a fact's column cannot hold would end the build for all sources."""
    facts, limits = load_fact_columns(), dict[str, tuple[Decimal, Decimal]]()
    entity = contract.entity_in(name, period)
    for feed, mappings in read_by_feeds(contract, name, period):
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
            message = f"Values must lie in {low:g} to {high:g}: check the unit, the decimal mark and the column."
            rules.append(_where(make, "FITS", broken, message, column, min_value=float(low), max_value=float(high)))
    return rules


def _lies_within(column: Column, low: Decimal, high: Decimal) -> bool:
    """Does the contract itself keep the column's values within these bounds?"""
    least, most = (None if one is None else value_of("number", one) for one in (column.minimum, column.maximum))
    values = [value for code in column.codes or () if isinstance(value := column.value_of(code), Decimal)]
    if values:
        least, most = min(values), max(values)
    return isinstance(least, Decimal) and isinstance(most, Decimal) and low <= least and most <= high


def _key_rule(make: Make, entity: Entity) -> Rule:
    names = ", ".join(quote(name) for name in entity.key)
    doubled = f"select {names} from {{batch}} group by {names} having count(*) > 1"
    broken = f"({names}) in (select ({names}) from {{table}} group by {names} having count(*) > 1)"
    message = (
        f"{', '.join(entity.key)} must identify one row. Remove the rows that stand twice, or send the column that"
        " tells them apart."
    )
    one = broken if len(entity.key) > 1 else broken.replace(f"({names})", names)
    return _rows(make, "KEY", doubled, message, broken=one, terms={"columns": list(entity.key)})


def _orphan_rule(make: Make, contract: Contract, name: str, reference: Reference) -> Rule:
    to = reference.targets
    same = " and ".join(f"there.{quote(b)} = here.{quote(a)}" for a, b in zip(reference.columns, to, strict=True))
    filled = " and ".join(f"here.{quote(c)} is not null" for c in reference.columns)
    # Great Expectations puts a named subquery in the place of {batch}: a name of our own needs one around it.
    orphan = f"not exists (select 1 from {quote(reference.entity)} as there where {same})"
    low, high = reference.orphan_share
    if high == 0:
        query = f"select 1 as broken from (select * from {{batch}}) as here where {filled} and {orphan}"
        message = (
            f"Each row must belong to a row of {reference.entity}. Send the missing ones, or correct"
            f" {', '.join(reference.columns)}."
        )
    else:
        query = (
            f"select share from (select avg(case when {orphan} then 1.0 else 0.0 end) as share"
            f" from (select * from {{batch}}) as here"
            f" where {filled}) where share < {low!r} or share > {high!r}"
        )
        message = (
            f"The share of rows without a row of {reference.entity} must lie in {low:.0%} to {high:.0%}, as the"
            " contract declares."
        )
    terms = {"columns": list(reference.columns), "to": list(to), "min_value": low, "max_value": high}
    return _rows(make, f"ORPHANS-{reference.called}", query, message, terms=terms)
