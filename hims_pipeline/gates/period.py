"""The rule that a delivery is about the period it was sent for, by the columns of the contract that say it."""

from datetime import date

from hims_pipeline.contracts.model import Contract, Entity
from hims_pipeline.contracts.stated import StatedPeriod
from hims_pipeline.gates.sentences import Said, say
from hims_pipeline.lake.periods import covers
from hims_pipeline.sql import literal, quote

# SQL of a text as a number; what is none is NULL, and breaks the rule.
_WHOLE = "try_cast(cast({} as varchar) as bigint)"


def period_rule(contract: Contract, entity: Entity, stated: StatedPeriod, period: str) -> tuple[str, Said, None, str]:
    """Query, message, no single column, and the condition of rows that state another period."""
    position, low, high = _position(stated, entity, period, *covers(contract, period))
    within = f"{position} <= {high}" if stated.up_to else f"{position} between {low} and {high}"
    filled = [f"{quote(name)} is not null" for name in stated.columns]
    lies = [entity.column(name).absent.condition(quote(name)) for name in stated.columns]
    held = " and ".join([*filled, *(f"not coalesce({one}, false)" for one in lies if one)])
    broken = f"{held} and not coalesce({within}, false)"
    message = say("later_period" if stated.up_to else "period", period=period, columns=", ".join(stated.columns))
    return f"select 1 as broken from {{batch}} where {broken}", message, None, broken


def _position(
    stated: StatedPeriod, entity: Entity, period: str, first: date, last: date
) -> tuple[str, str | int, str | int]:
    """SQL of where a row stands in time, and where the period begins and ends on the same scale."""
    if stated.date:
        return quote(stated.date), f"date '{first}'", f"date '{last}'"
    if stated.spelt:
        spelt = f"replace(cast({quote(stated.spelt)} as varchar), '-', '')"
        return spelt, literal(period.replace("-", "")), literal(period.replace("-", ""))
    parts, size = (first.year, last.year), 1
    within = (0, 0)
    if stated.quarter:
        size, within = 4, ((first.month - 1) // 3, (last.month - 1) // 3)
    elif stated.month:
        size, within = 12, (first.month - 1, last.month - 1)
    year, part = _parts(stated, entity)
    position = f"{year} * {size} + {part} - 1" if size > 1 else year
    return position, parts[0] * size + within[0], parts[1] * size + within[1]


def _parts(stated: StatedPeriod, entity: Entity) -> tuple[str, str]:
    """SQL of the year, and of the quarter or month in it."""
    if stated.year:
        part = stated.quarter or stated.month
        return _WHOLE.format(quote(stated.year)), _WHOLE.format(quote(part)) if part else ""
    name = stated.quarter or stated.month or ""
    if entity.column(name).type == "date":
        return f"year({quote(name)})", f"month({quote(name)})"
    pattern = "([0-9]{4})-?Q([1-4])" if stated.quarter else "([0-9]{4})-(0[1-9]|1[0-2])"
    whole = f"case when regexp_full_match({quote(name)}, '{pattern}') then {quote(name)} end"
    return tuple(_WHOLE.format(f"regexp_extract({whole}, '{pattern}', {place})") for place in (1, 2))  # type: ignore[return-value]
