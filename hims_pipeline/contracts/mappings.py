"""Whether a mapping fits the column that is sent and the fact's column that it feeds: by type, code by code.

What does not fit is found when a contract loads; behind the gate it would end the whole night. Not here: the SQL of a
mapping (`hims_pipeline.staging.models`), and numbers too large for a fact's column, which the gate looks for.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from hims_pipeline.contracts.columns import Column, ColumnMap
from hims_pipeline.contracts.fact_columns import FactColumn, is_area
from hims_pipeline.contracts.model import Entity
from hims_pipeline.contracts.values import NUMERIC, value_of

_DIGITS_OF_A_FACTOR = 3
_DIGITS_OF_A_DOUBLE = 15
# What a column sent may become without being translated: its type -> kinds of a fact's column.
PLAIN = {
    "integer": ("number", "text"),
    "decimal": ("number",),
    "number": ("number",),
    "text": ("text",),
    "date": ("date",),
    "boolean": ("boolean",),
}


def mapping_problems(entity: Entity, mapping: ColumnMap, target: FactColumn) -> list[str]:
    """What is wrong with one mapping, in sentences."""
    problems = list(_condition_problems(entity, mapping))
    problems += [
        f"{word} {value!r} is no value of {target.sql_type}{_list_accepted(target)}"
        for word, value in (("value", mapping.value), ("otherwise", mapping.otherwise), ("default", mapping.default))
        if value is not None and not fits(target, value)
    ]
    if mapping.from_ is not None:
        problems += _from_problems(entity.column(mapping.from_), mapping, target)
    if is_area(target.name) and mapping.from_ and mapping.crosswalk is None and mapping.codes is None:
        problems.append(
            f"a code of areas comes through a scheme of xwalk_area.csv: {mapping.from_} alone does not say in which"
            " system it counts"
        )
    if target.kind == "text" and target.special and (lost := sorted(_reasons(entity, mapping) - target.special)):
        problems.append(
            f"cells may stand for {', '.join(lost)}, which it does not know; say in `codes` what becomes of them"
        )
    return problems


def _list_accepted(target: FactColumn) -> str:
    return f" ({', '.join(sorted(target.accepted))})" if target.accepted else ""


def fits(target: FactColumn, value: object) -> bool:
    """May a constant stand in a fact's column?"""
    if target.kind == "text":
        return target.accepted is None or str(value) in target.accepted or str(value) == "_X"
    if target.kind != "number":
        return value_of(target.kind, value) is not None  # type: ignore[arg-type]
    number, scale, bounds = value_of("number", value), target.scale, target.bounds
    if not isinstance(number, Decimal) or (scale is not None and number != round(number, scale)):
        return False
    return bounds is None or bounds[0] <= number <= bounds[1]


def _from_problems(column: Column, mapping: ColumnMap, target: FactColumn) -> Iterator[str]:
    if mapping.take != "value":
        yield from _taken_problems(column, mapping, target)
    elif mapping.codes is not None:
        yield from _codes_problems(column, mapping, target)
    elif mapping.crosswalk is not None or mapping.assign is not None:
        yield from _translated_problems(column, target)
    else:
        yield from _plain_problems(column, mapping, target)


def _taken_problems(column: Column, mapping: ColumnMap, target: FactColumn) -> Iterator[str]:
    if target.kind != "text":
        yield f"a reason or a flag of {column.name} is a text; the column is {target.sql_type}"
    if mapping.take == "flag":
        has = {to for to in column.flags.values() if not to.startswith("_")}
        if not column.flags:
            yield f"{column.name} has no flags"
    else:
        has = column.absent.reasons
        if not has:
            yield f"{column.name} declares nothing missing"
    if mapping.codes is not None:
        yield from _find_lost(has if mapping.take == "missing" else set(), mapping.codes, column)
        yield from _check_written(mapping.codes.values(), target)


def _codes_problems(column: Column, mapping: ColumnMap, target: FactColumn) -> Iterator[str]:
    codes = mapping.codes or {}
    strange = [code for code in codes if column.value_of(code) is None or column.sensitivity == "identifier"]
    yield from (f"{code!r} is no value of {column.name}, which is of type {column.type}" for code in strange)
    mapped = [column.value_of(code) for code in codes]
    if column.codes is not None:
        yield from (
            f"code {code} of {column.name} is not mapped"
            for code in column.codes
            if column.value_of(code) not in mapped
        )
    yield from _check_written(codes.values(), target)


def _find_lost(has: set[str], codes: Iterable[object], column: Column) -> Iterator[str]:
    yield from (f"{code} of {column.name} is not mapped" for code in sorted(has - {str(code) for code in codes}))


def _check_written(values: Iterable[object], target: FactColumn) -> Iterator[str]:
    for value in dict.fromkeys(map(str, values)):
        if not fits(target, value):
            yield f"code {value!r} is no value of {target.sql_type}{_list_accepted(target)}"


def _translated_problems(column: Column, target: FactColumn) -> Iterator[str]:
    if target.kind != "text":
        yield f"a crosswalk or correspondence gives codes; the column is {target.sql_type}"
    if column.type not in ("text", "integer") or column.sensitivity == "identifier":
        yield f"{column.name} is of type {column.type}{_describe_column(column)}, which has no codes to be translated"


def _describe_column(column: Column) -> str:
    return " and an identifier" if column.sensitivity == "identifier" else ""


def _plain_problems(column: Column, mapping: ColumnMap, target: FactColumn) -> Iterator[str]:
    if target.kind not in PLAIN[column.type]:
        yield (
            f"{column.name} is of type {column.type} and the column is {target.sql_type}; declare the type that the "
            "values have, or translate them with `codes`"
        )
        return
    digits = {"integer": 0, "decimal": column.scale}.get(column.type)
    if mapping.multiply is not None:
        factor = value_of("number", mapping.multiply)
        if column.type not in NUMERIC or not isinstance(factor, Decimal):
            yield "`multiply` goes with numbers"
            return
        places = max(0, -int(factor.normalize().as_tuple().exponent))
        if places > _DIGITS_OF_A_FACTOR:
            yield f"`multiply` has at most {_DIGITS_OF_A_FACTOR} digits after the point"
        digits = None if digits is None else max(0, digits + places if places else digits - _zeros(factor))
    scale = target.scale
    if target.kind == "number" and scale is not None:
        if digits is None and scale < _DIGITS_OF_A_DOUBLE:
            yield (f"{column.name} is of type {column.type}, whose fraction the column ({target.sql_type}) rounds")
        elif digits is not None and digits > scale:
            yield f"{column.name} has {digits} digits after the point, of which the column keeps {scale}"
    strange = [code for code in mapping.replace if column.value_of(code) is None]
    yield from (f"{code!r} is no value of {column.name}, which is of type {column.type}" for code in strange)
    yield from _check_written(mapping.replace.values(), target)


def _zeros(factor: Decimal) -> int:
    """Zeros at the end of a factor: times 1000, three digits after the point are none."""
    return max(0, int(factor.normalize().as_tuple().exponent))


def _condition_problems(entity: Entity, mapping: ColumnMap) -> Iterator[str]:
    for name, values in mapping.when.items():
        column = entity.column(name)
        known = None if column.codes is None else [column.value_of(c) for c in (*column.codes, *column.missing)]
        for value in values:
            typed_value = column.value_of(value)
            if typed_value is None or column.sensitivity == "identifier":
                yield f"when: {value!r} is no value of {name}, which is of type {column.type}"
            elif known is not None and typed_value not in known:
                yield f"when: {value!r} is no code of {name}"


def _reasons(entity: Entity, mapping: ColumnMap) -> set[str]:
    """Special codes that rows get because a column that the mapping reads has no value."""
    reasons: set[str] = set()
    for name, values in mapping.when.items():
        reasons |= _find_unlisted(entity.column(name), values)
    if mapping.from_ is None or mapping.take == "flag" or (mapping.take == "missing" and mapping.codes is not None):
        return reasons
    return reasons | _find_unlisted(entity.column(mapping.from_), mapping.codes or ())


def _find_unlisted(column: Column, codes: Iterable[object]) -> set[str]:
    """Special codes of what a column declares missing, but for the codes that a mapping lists itself."""
    absent, listed = column.absent, [column.value_of(code) for code in codes]
    left = {to for code, to in absent.codes.items() if code not in listed}
    return (
        left
        | {*(to for _, to in absent.ranges), *absent.marks.values()}
        | (absent.reasons & set(column.flags.values()))
    )
