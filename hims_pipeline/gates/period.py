"""The rules that a delivery is about the period it was sent for, and about the whole of it, by the columns of the
contract that say it."""

from datetime import date, timedelta

from hims_pipeline.contracts.model import Contract, Entity
from hims_pipeline.contracts.stated_period import Span, StatedPeriod
from hims_pipeline.gates.sentences import Said, say
from hims_pipeline.lake.periods import covers
from hims_pipeline.sql import literal, quote

# How many of each part a year may have, for a scale on which parts of all years stand apart.
_SIZE = {"quarter": 4, "month": 12, "week": 54}
# How a part is spelt beside its year, and with it; in the latter the year is either group of four digits.
_BESIDE = {
    "quarter": "(?i)[QT]?0?([1-4])",
    "month": "(?i)M?0?([1-9]|1[0-2])",
    "week": "(?i)W?0?([1-9]|[1-4][0-9]|5[0-3])",
}
_ALONE = {
    "quarter": (
        "(?i)([0-9]{4})[-/ ]?[QT]?([1-4])", "(?i)[QT]?([1-4])[-/ ]?([0-9]{4})", "(?i)([1-4])[QT][-/ ]?([0-9]{4})",
    ),
    "month": ("(?i)([0-9]{4})[-/. ]?M?(0[1-9]|1[0-2])", "(0[1-9]|1[0-2])[-/. ]([0-9]{4})"),
    "week": ("(?i)([0-9]{4})[-/ ]?W?(0[1-9]|[1-4][0-9]|5[0-3])",),
}  # fmt: skip
_SPANS: dict[Span, dict[str, str]] = {
    "day": {"en": "days", "fr": "jours", "ar": "أيام"},
    "week": {"en": "weeks", "fr": "semaines", "ar": "أسابيع"},
    "month": {"en": "months", "fr": "mois", "ar": "أشهر"},
    "quarter": {"en": "quarters", "fr": "trimestres", "ar": "فصول"},
    "year": {"en": "years", "fr": "années", "ar": "سنوات"},
}
_MANY = 20  # rows a span: that one has none by chance is then rarer than one in a hundred million
_ACADEMIC = "([0-9]{4})[-/]([0-9]{2})?([0-9]{2})"


def period_rule(contract: Contract, entity: Entity, stated: StatedPeriod, period: str) -> tuple[str, Said, None, str]:
    """Query, message, no single column, and the condition of rows that state another period.

    Where no row states any period, or none is late enough (`last_within`), all of them break it.
    """
    position, low, high = _position(contract, stated, entity, period)
    within = f"{position} <= {high}" if stated.up_to else f"{position} between {low} and {high}"
    held = _is_stated(entity, stated)
    late = f"{held} and {position} >= {high} - {stated.last_within}" if stated.last_within is not None else held
    broken = f"({held} and not coalesce({within}, false) or not exists (select 1 from {{table}} where {late}))"
    message = say("later_period" if stated.up_to else "period", period=period, columns=", ".join(stated.columns))
    return f"select 1 as broken from {{batch}} where {broken.replace('{table}', '{batch}')}", message, None, broken


def whole_period_rule(
    contract: Contract, entity: Entity, stated: StatedPeriod, period: str, is_flow: bool
) -> tuple[str, Said] | None:
    """Query and message of the rule that each span of the period has rows: those that the contract says, else, of a
    flow, its months or what is stated of them, where there are many rows. None where there is nothing to tell apart."""
    usual = next((one for one in stated.spans if one != "day" and (one != "week" or not stated.date)), None)
    span = stated.every or (usual if is_flow and not stated.up_to else None)
    first, last = covers(contract, period)
    days = (first + timedelta(number) for number in range((last - first).days + 1))
    places = sorted({_place(span, day) for day in days}) if span else []
    if span is None or len(places) < 2:
        return None
    held = _is_stated(entity, stated)
    seen = f"select {_span_of(stated, entity, span)} as place from {{batch}} where {held}"
    query = f"select place from (select unnest({places}) as place) where place not in (select place from ({seen}) "
    query += "where place is not null)"
    if not stated.every:
        query += f" and (select count(*) from {{batch}} where {held}) >= {_MANY * len(places)}"
    return query, say("whole_period", period=period, columns=", ".join(stated.columns), **_SPANS[span])


def _is_stated(entity: Entity, stated: StatedPeriod) -> str:
    """SQL: a row says what period it is of."""
    filled = [f"{quote(name)} is not null" for name in stated.columns]
    lies = [entity.column(name).absent.condition(quote(name)) for name in stated.columns]
    return " and ".join([*filled, *(f"not coalesce({one}, false)" for one in lies if one)])


def _span_of(stated: StatedPeriod, entity: Entity, span: Span) -> str:
    """SQL of the place of a row's day, week, month, quarter or year on the scale of `_place`."""
    if stated.date:
        day = quote(stated.date)
        return {
            "day": f"datediff('day', date '0001-01-01', {day}) + 1",
            "week": f"isoyear({day}) * {_SIZE['week']} + week({day}) - 1",
            "month": f"year({day}) * {_SIZE['month']} + month({day}) - 1",
            "quarter": f"year({day}) * {_SIZE['quarter']} + quarter({day}) - 1",
            "year": f"year({day})",
        }[span]
    year, number = _parts(stated, entity)
    if span == "year":
        return year
    part = f"({number} + 2) // 3" if (stated.part, span) == ("month", "quarter") else number
    return f"{year} * {_SIZE[span]} + {part} - 1"


def _position(
    contract: Contract, stated: StatedPeriod, entity: Entity, period: str
) -> tuple[str, str | int, str | int]:
    """SQL of where a row stands in time, and where the period begins and ends on the same scale."""
    first, last = covers(contract, period)
    if stated.date:
        return quote(stated.date), f"date '{first}'", f"date '{last}'"
    part, pattern = stated.part, contract.period.pattern
    if stated.spelt and pattern in _SIZE:
        year, number = _year_and_part(pattern, _text(stated.spelt))
        part = pattern
    elif stated.spelt:
        spelt = _text(stated.spelt)
        if pattern == "academic_year":
            spelt = f"regexp_replace({spelt}, '^{_ACADEMIC}$', '\\1-\\3')"
        return f"replace({spelt}, '-', '')", literal(period.replace("-", "")), literal(period.replace("-", ""))
    else:
        year, number = _parts(stated, entity)
    if part is None:
        return year, first.year, last.year
    size = _SIZE[part]
    return f"{year} * {size} + {number} - 1", _place(part, first), _place(part, last)


def _place(part: str, day: date) -> int:
    """Where a day stands on the scale of days, years or a part of the year."""
    if part in ("day", "year"):
        return day.toordinal() if part == "day" else day.year
    if part == "week":
        year, week, _ = day.isocalendar()
        return year * _SIZE[part] + week - 1
    return day.year * _SIZE[part] + ((day.month - 1) // 3 if part == "quarter" else day.month - 1)


def _parts(stated: StatedPeriod, entity: Entity) -> tuple[str, str]:
    """SQL of the year, and of the part of it; what is none is NULL, and breaks the rule."""
    part = stated.part
    name = getattr(stated, part) if part else ""
    if stated.year:
        is_number = entity.column(stated.year).type == "integer"
        year = quote(stated.year) if is_number else _extract(_text(stated.year), "([0-9]{4})", 1)
        return year, _extract(_text(name), _BESIDE[part], 1) if part else ""
    if entity.column(name).type == "date":
        return f"year({quote(name)})", f"month({quote(name)})"
    return _year_and_part(str(part), _text(name))


def _year_and_part(part: str, text: str) -> tuple[str, str]:
    """SQL of year and part, of the first spelling that fits."""
    groups = [(1, 2), (2, 1), (2, 1)]
    years, numbers = (
        [_extract(text, spelling, groups[no][place]) for no, spelling in enumerate(_ALONE[part])] for place in (0, 1)
    )
    return f"coalesce({', '.join(years)})", f"coalesce({', '.join(numbers)})"


def _extract(text: str, pattern: str, group: int) -> str:
    """SQL of a group of a pattern that a text fits as a whole, as a number; else NULL."""
    whole = f"case when regexp_full_match({text}, '{pattern}') then {text} end"
    return f"try_cast(regexp_extract({whole}, '^(?:{pattern})$', {group}) as bigint)"


def _text(name: str) -> str:
    return f"trim(cast({quote(name)} as varchar))"
