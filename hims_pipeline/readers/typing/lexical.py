"""Types, checked by how a value is written and not by whether it casts: a cast reads `1.5` as 2 and `0x10` as 16.

For each column the text is cast, printed again and compared with what stood there. Only what differs is looked at with
a regular expression built from the contract. What fits neither way is a misfit: it is never stored, neither rounded nor
as NULL. Text that is empty, a null word or a mark for missing is NULL (`contracts.missing`), which is settled before.

All SQL here works on a relation whose texts are called `t0, t1, …` in the order of the columns.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from hims_pipeline.contracts.missing import BLANKS, Split, split_sql
from hims_pipeline.contracts.periods import GREGORIAN
from hims_pipeline.privacy.pseudonym import normalise_sql, pseudonym
from hims_pipeline.readers.typing.spelling import plain_number
from hims_pipeline.sql import literal

MISFIT = "hims: a value does not fit its contract"  # raised inside DuckDB, recognised outside; holds no value
_PADDING = literal(BLANKS)
_ISO = "%Y-%m-%d"
# A number that was a float on its way has lost digits, and two persons could get one pseudonym.
_PRINTED_FLOAT = "[0-9]+[.,]0+|[0-9]+([.,][0-9]+)?E[-+][0-9]+|[0-9]+[.,][0-9]+E[0-9]+"
# Of these, numbers of many digits. In any case of letters: `upper` would take twice the time.
_EXPONENT = "(?i)(?:[0-9]+([.,][0-9]+)?E[+][0-9]+|[0-9]+[.,][0-9]+E[0-9]+)"


@dataclass(frozen=True)
class Typing:
    """SQL of one column: expressions of two inner levels and the branches that accept a text.

    Args:
        value, printed: the cast (`v0` outside) and what it prints as (`p0` outside); empty where not needed.
        branches: (condition, stored expression); a condition may be NULL, which counts as false.
        what: the type in words, for messages.
        split: takes the sent text apart first; None where all of it is the value.
    """

    sql_type: str
    value: str
    printed: str
    branches: tuple[tuple[str, str], ...]
    what: str
    split: Split | None = None

    def stored_sql(self, otherwise: str) -> str:
        if self.branches == ():
            return otherwise
        whens = " ".join(f"when {condition} then {result}" for condition, result in self.branches)
        return f"case {whens} else {otherwise} end"

    def misfit(self) -> str:
        whens = " ".join(f"when {condition} then false" for condition, _ in self.branches)
        return f"case {whens} else true end"


def type_in_sql(column: Column) -> str:
    """The type of a column in bronze."""
    if column.sensitivity == "identifier":
        return "UUID"
    return {
        "text": "VARCHAR",
        "integer": "BIGINT",
        "decimal": f"DECIMAL(18,{column.scale})",
        "number": "DOUBLE",
        "date": "DATE",
        "boolean": "BOOLEAN",
    }[column.type]


def typing_of(
    column: Column, number: int, form: Format, domains: Sequence[str] = (), domain: str = "", tells_rows: bool = False
) -> Typing:
    """The SQL that reads column `number`, of texts called `t<number>`.

    Args:
        tells_rows: the column tells rows apart or finds others, so that a number in exponent form, of which digits are
            gone, is no value of it.
    """
    parts = split_sql(column.missing_values_in(form), f"t{number}", "padding" in column.allow)
    typing = replace(_typing_of(column, number, form, domains, domain), split=parts)
    if not tells_rows or column.type not in ("text", "number") or column.sensitivity == "identifier":
        return typing
    whole = f"not coalesce(regexp_full_match({_strip_sql(column, f't{number}')}, {literal(_EXPONENT)}), false)"
    branches = tuple((f"{whole} and {condition}", stored) for condition, stored in typing.branches)
    return replace(typing, branches=branches, what="an identifier" if column.type == "text" else typing.what)


def _typing_of(column: Column, number: int, form: Format, domains: Sequence[str], domain: str) -> Typing:
    text, value, printed = f"t{number}", f"v{number}", f"p{number}"
    if column.sensitivity == "identifier":
        return _identifier(column, text, value, list(domains), domain)
    if column.type == "text":
        return _text(column, text, form)
    if column.type == "boolean":
        plain = _strip_sql(column, text)
        accepted = ((f"{text} is null", "null"), *_blank(column, text, form, "null"))
        spelt = ((f"lower({plain}) in ('true', '1')", "true"), (f"lower({plain}) in ('false', '0')", "false"))
        return Typing("BOOLEAN", "", "", accepted + spelt, "true, false, 1 or 0")
    make = {"integer": _integer, "decimal": _decimal, "number": _number, "date": _date}[column.type]
    return make(column, text, value, printed, form)


def _integer(column: Column, text: str, value: str, printed: str, form: Format) -> Typing:
    branches = [(f"{printed} = {text}", value), (f"{text} is null", "null")]
    if "zero_fraction" in column.allow:
        branches.append((f"{printed} || {literal(form.decimal + '0')} = {text}", value))
    if column.allow:
        plain = plain_number(column, text, form)
        fraction = f"({re.escape(form.decimal)}0+)?" if "zero_fraction" in column.allow else ""
        shape = f"{_sign(column)}({_whole_number_sql(column)}){fraction}"
        number = (
            f"try_cast(regexp_replace(regexp_replace({plain}, {literal(fraction + '$')}, ''), '^[+]', '') as bigint)"
        )
        branches += _blank(column, text, form, "null")
        fits = f"regexp_full_match({plain}, {literal(shape)}) and {plain} <> '-0'"
        branches.append((f"{fits} and {number} is not null", number))
    return Typing("BIGINT", f"try_cast({text} as bigint)", f"{value}::varchar", tuple(branches), "a whole number")


def _decimal(column: Column, text: str, value: str, printed: str, form: Format) -> Typing:
    kind, point = f"decimal(18,{column.scale})", literal(form.decimal)
    branches = [(f"{printed} = {text}", value), (f"{text} is null", "null")]
    if column.scale:
        branches.append((f"rtrim(rtrim({printed}, '0'), {point}) = {text}", value))
    plain = plain_number(column, text, form)
    fraction = (
        f"{re.escape(form.decimal)}[0-9]{{1,{column.scale}}}0*" if column.scale else f"{re.escape(form.decimal)}0+"
    )
    shape = f"{_sign(column)}(({_whole_number_sql(column)})({fraction})?|{fraction})"
    number = f"try_cast({_decimal_point_sql(plain, form)} as {kind})"
    branches += _blank(column, text, form, "null")
    branches.append((f"regexp_full_match({plain}, {literal(shape)}) and {number} is not null", number))
    show = f"{value}::varchar" if form.decimal == "." else f"replace({value}::varchar, '.', ',')"
    what = f"a number with at most {column.scale} digits after the {'point' if form.decimal == '.' else 'comma'}"
    return Typing(kind.upper(), f"try_cast({_decimal_point_sql(text, form)} as {kind})", show, tuple(branches), what)


def _number(column: Column, text: str, value: str, printed: str, form: Format) -> Typing:
    fraction = f"{re.escape(form.decimal)}[0-9]+"
    shape = f"{_sign(column)}(({_whole_number_sql(column)})({fraction})?|{fraction})([eE][-+]?[0-9]+)?"
    plain = plain_number(column, text, form)
    number = f"try_cast({_decimal_point_sql(plain, form)} as double)"
    # A number too small for a double would silently become zero.
    lost = f"({number} = 0 and regexp_matches({plain}, '^[^eE]*[1-9]'))"
    point = literal(form.decimal + "0")
    branches = [
        (f"{printed} = {text} and isfinite({value})", value),
        (f"{text} is null", "null"),
        (f"{printed} = {text} || {point} and isfinite({value})", value),
        *_blank(column, text, form, "null"),
        (f"regexp_full_match({plain}, {literal(shape)}) and isfinite({number}) and not {lost}", number),
    ]
    show = f"{value}::varchar" if form.decimal == "." else f"replace({value}::varchar, '.', ',')"
    return Typing("DOUBLE", f"try_cast({_decimal_point_sql(text, form)} as double)", show, tuple(branches), "a number")


def _date(column: Column, text: str, value: str, printed: str, form: Format) -> Typing:
    pattern, first = literal(column.date_format), f"date '{_first_year(column):04d}-01-01'"
    what = f"a date written {column.date_format}"
    if column.date_format == _ISO:
        # Ten characters: `infinity` and years beyond 9999 print as they are written, too.
        branches = [
            (f"{printed} = {text} and strlen({text}) = 10 and {value} >= {first}", value),
            (f"{text} is null", "null"),
        ]
        cast, show = f"try_cast({text} as date)", f"{value}::varchar"
    else:
        same = _same_sql(column, printed, text)
        branches = [(f"{same} and {value} >= {first}", value), (f"{text} is null", "null")]
        cast, show = f"try_strptime({text}, {pattern})::date", f"strftime({value}, {pattern})"
    if "padding" in column.allow:
        plain = _strip_sql(column, text)
        day = f"try_strptime({plain}, {pattern})::date"
        branches += _blank(column, text, form, "null")
        same = _same_sql(column, f"strftime({day}, {pattern})", plain)
        branches.append((f"{same} and {day} >= {first}", day))
    return Typing("DATE", cast, show, tuple(branches), what)


def _same_sql(column: Column, printed: str, text: str) -> str:
    """SQL: a date is written as it prints; of names of months and days (05-JAN-2024) the case is no matter."""
    named = re.search("%[aAbBp]", column.date_format)
    return f"lower({printed}) = lower({text})" if named else f"{printed} = {text}"


def _first_year(column: Column) -> int:
    """The first year of a column's dates: that of its `minimum` where it begins before the Gregorian calendar did."""
    lowest = str(column.minimum or "")[:4]
    return max(1, min(int(lowest), GREGORIAN)) if lowest.isdecimal() else GREGORIAN


def _text(column: Column, text: str, _form: Format) -> Typing:
    """Text is stored as it is, in Unicode form NFC so that the same word is the same word."""
    plain = f"nfc_normalize({_strip_sql(column, text)})"
    if "padding" in column.allow:
        plain = f"nullif({plain}, '')"
    return Typing("VARCHAR", "", "", (("true", plain),), "text")


def _identifier(column: Column, text: str, value: str, domains: list[str], domain: str) -> Typing:
    fits = f"regexp_full_match({value}, {literal(column.pattern or '.*')})"
    fits += f" and not regexp_full_match({value}, {literal(_PRINTED_FLOAT)})"
    branches = ((f"{value} is null", "null"), (fits, pseudonym(value, domains, domain)))
    return Typing("UUID", normalise_sql(text), "", branches, "an identifier of the agreed form")


def _strip_sql(column: Column, text: str) -> str:
    return f"trim({text}, {_PADDING})" if "padding" in column.allow else text


def _blank(column: Column, text: str, _form: Format, result: str) -> list[tuple[str, str]]:
    if "padding" not in column.allow:
        return []
    return [(f"{_strip_sql(column, text)} = ''", result)]


def _sign(column: Column) -> str:
    return "[-+]?" if "plus_sign" in column.allow else "-?"


def _whole_number_sql(column: Column) -> str:
    return "[0-9]+" if "leading_zeros" in column.allow else "0|[1-9][0-9]*"


def _decimal_point_sql(text: str, form: Format) -> str:
    """Decimal comma to point; a point that stands there already is made unreadable, or `1.5` would pass."""
    return text if form.decimal == "." else f"translate({text}, ',.', '.x')"
