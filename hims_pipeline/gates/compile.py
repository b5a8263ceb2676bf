"""A contract's rules, compiled into expectations. Codes are made of names, so they stay as long as the names do:
`RGPH-PERSONS-SEX-CODES`, `RGPH-PERSONS-KEY`. What a contract declares missing breaks none of them. No rule here needs a
judgement; those stand in `expectations/`."""

import re
from dataclasses import replace
from typing import Any

from hims_pipeline.contracts.columns import Column, Reference
from hims_pipeline.contracts.missing import MISSING_SUFFIX
from hims_pipeline.contracts.model import Contract, Entity
from hims_pipeline.contracts.values import NUMERIC, value_of, value_sql
from hims_pipeline.gates.feed_rules import fit_rules, needed_rules
from hims_pipeline.gates.period import period_rule, whole_period_rule
from hims_pipeline.gates.rule_making import Make, condition_rule, missing_guard, missing_words, rows_rule
from hims_pipeline.gates.rules import Rule
from hims_pipeline.gates.sampling_rules import drawn_rules
from hims_pipeline.gates.sentences import Said, say
from hims_pipeline.lake.periods import is_period
from hims_pipeline.lake.verdict import Severity
from hims_pipeline.sql import literal, literals, quote


def compile_rules(contract: Contract, period: str) -> list[Rule]:
    """All rules that follow from a contract for one period, entity by entity."""
    rules: list[Rule] = []
    for name in contract.entities:
        rules += _entity_rules(contract, name, contract.entity_in(name, period), period)
    return rules


def rule_code(*parts: str) -> str:
    """A rule's code from the words of its name: capitals, digits and hyphens."""
    return re.sub(r"[^A-Z0-9]+", "-", "-".join(parts).upper()).strip("-")


def _entity_rules(contract: Contract, name: str, entity: Entity, period: str) -> list[Rule]:
    def make(
        suffix: str, expectation: str, kwargs: dict[str, Any], message: Said, column: Column | None = None, **more: Any
    ) -> Rule:
        about = (column.name,) if column else ()
        end = rule_code(*about, suffix)
        return Rule(
            code=rule_code(contract.source, name, *about, suffix),
            entity=name,
            expectation=expectation,
            kwargs=kwargs,
            severity="blocking",
            message=message.en,
            messages=message.others,
            column=column.name if column else "",
            may_be_empty=column.may_be_empty if column else True,
            set_aside=entity.set_aside.get(end, 0.0),
            may_be_accepted=end in entity.may_be_accepted,
            **more,
        )

    rules = [
        make(
            "ROWS",
            "expect_table_row_count_to_be_between",
            {"min_value": entity.minimum_rows},
            say("rows", minimum=entity.minimum_rows),
        )
    ]
    for column in entity.kept_columns:
        rules += _column_rules(make, column, column.required or column.name in entity.key)
    if entity.key:
        rules.append(_key_rule(make, entity))
    rules += [_orphan_rule(make, reference) for reference in entity.references]
    rules += fit_rules(make, contract, name, period)
    rules += needed_rules(make, contract, name, period)
    rules += drawn_rules(make, entity, entity.design or contract.design)
    if entity.period and entity.period.columns and is_period(contract, period):
        rules.append(rows_rule(make, "PERIOD", *period_rule(contract, entity, entity.period, period)))
        is_flow = (entity.measure_type or contract.measure_type) == "flow"
        if whole := whole_period_rule(contract, entity, entity.period, period, is_flow):
            severity: Severity = "blocking" if entity.period.every else "warning"
            rules.append(replace(rows_rule(make, "PERIOD-WHOLE", *whole), severity=severity))
    return rules


def _column_rules(make: Make, column: Column, required: bool) -> list[Rule]:
    rules, name = [], quote(column.name)
    if required:
        rules.append(_required_rule(make, column))
    if column.unique:
        held = f" where {unless}" if (unless := missing_guard(column)) else ""
        doubled = f"select {name} from {{batch}}{held} group by {name} having count(*) > 1"
        broken = f"{name} in ({doubled.replace('{batch}', '{table}')})"
        rules.append(rows_rule(make, "UNIQUE", doubled, say("unique"), column, broken, {"column": column.name}))
    if column.codes is not None:
        rules.append(_codes_rule(make, column))
    if column.minimum is not None or column.maximum is not None:
        rules.append(_range_rule(make, column))
    if column.pattern and column.sensitivity != "identifier":
        broken = f"not regexp_full_match({name}, {literal(column.pattern)})"
        rules.append(
            condition_rule(
                make, "PATTERN", broken, say("pattern", pattern=column.pattern), column, pattern=column.pattern
            )
        )
    if column.crosswalk:
        known = f"select code from _crosswalks where scheme = {literal(column.crosswalk)}"
        broken = f"cast({name} as varchar) not in ({known})"
        message = say("crosswalk", scheme=column.crosswalk)
        rules.append(
            condition_rule(
                make, "XWALK", broken, message, column, scheme=column.crosswalk, value_set=missing_words(column)
            )
        )
    return rules


def _required_rule(make: Make, column: Column) -> Rule:
    message, name = say("required"), quote(column.name)
    if not column.absent.has_reason:
        return make("REQUIRED", "expect_column_values_to_not_be_null", {"column": column.name}, message, column,
                    broken_rows=f"{name} is null")  # fmt: skip
    broken = f"{name} is null and {quote(column.name + MISSING_SUFFIX)} is null"
    return rows_rule(make, "REQUIRED", f"select 1 as broken from {{batch}} where {broken}", message, column, broken,
                 {"column": column.name, "value_set": missing_words(column)})  # fmt: skip


def _codes_rule(make: Make, column: Column) -> Rule:
    codes = [str(code) for code in column.codes or ()]
    listed = ", ".join(codes[:12]) + (", …" if len(codes) > 12 else "")
    values = ", ".join(value_sql(column.type, value) for code in codes if (value := column.value_of(code)) is not None)
    message = say("codes", listed=listed)
    valid = column.valid_codes()
    if valid is not None and column.type in ("integer", "text"):  # a kind that also sees whether there was a value
        value_set = [int(code) for code in valid] if column.type == "integer" else valid
        broken = f"{quote(column.name)} is not null and {quote(column.name)} not in ({literals(value_set)})"
        return make("CODES", "expect_column_values_to_be_in_set", {"column": column.name, "value_set": value_set},
                    message, column, broken_rows=broken)  # fmt: skip
    broken = f"{quote(column.name)} not in ({values})"
    return condition_rule(make, "CODES", broken, message, column, value_set=sorted({*codes, *missing_words(column)}))


def _range_rule(make: Make, column: Column) -> Rule:
    name, bounds = quote(column.name), []
    kind = "number" if column.type in NUMERIC else column.type
    for sign, bound in (("<", column.minimum), (">", column.maximum)):
        if bound is not None and (value := value_of(kind, bound)) is not None:
            bounds.append(f"{name} {sign} {value_sql('decimal' if kind == 'number' else kind, value)}")
    low, high = ("…" if bound is None else f"{bound:g}" if isinstance(bound, float) else str(bound)
                 for bound in (column.minimum, column.maximum))  # fmt: skip
    broken = f"({' or '.join(bounds)})"
    message = say("range", low=low, high=high)
    terms = {"min_value": column.minimum, "max_value": column.maximum, "value_set": missing_words(column)}
    return condition_rule(make, "RANGE", broken, message, column, **terms)


def _key_rule(make: Make, entity: Entity) -> Rule:
    names = ", ".join(quote(name) for name in entity.key)
    doubled = f"select {names} from {{batch}} group by {names} having count(*) > 1"
    broken = f"({names}) in (select ({names}) from {{table}} group by {names} having count(*) > 1)"
    message = say("key", columns=", ".join(entity.key))
    broken_once = broken if len(entity.key) > 1 else broken.replace(f"({names})", names)
    return rows_rule(make, "KEY", doubled, message, broken=broken_once, terms={"columns": list(entity.key)})


def _orphan_rule(make: Make, reference: Reference) -> Rule:
    to = reference.targets
    same = " and ".join(f"there.{quote(b)} = here.{quote(a)}" for a, b in zip(reference.columns, to, strict=True))
    filled = " and ".join(f"here.{quote(c)} is not null" for c in reference.columns)
    # Great Expectations puts a named subquery in the place of {batch}: a name of our own needs one around it.
    orphan = f"not exists (select 1 from {quote(reference.entity)} as there where {same})"
    low, high = reference.orphan_share
    if high == 0:
        query = f"select 1 as broken from (select * from {{batch}}) as here where {filled} and {orphan}"
        message = say("orphans", entity=reference.entity, columns=", ".join(reference.columns))
    else:
        query = (
            f"select share from (select avg(case when {orphan} then 1.0 else 0.0 end) as share"
            f" from (select * from {{batch}}) as here"
            f" where {filled}) where share < {low!r} or share > {high!r}"
        )
        message = say("orphan_share", entity=reference.entity, low=f"{low:.0%}", high=f"{high:.0%}")
    terms = {"columns": list(reference.columns), "to": list(to), "min_value": low, "max_value": high}
    return rows_rule(make, f"ORPHANS-{reference.called}", query, message, terms=terms)
