"""Values of a column, by its type: what is written in a contract and what stands in the data are the same value or not,
however either is printed (9999 is 9999.00).

Here: from a text to a value and to SQL. Not here: how a sender may spell a value in a file (`readers.typing.lexical`).
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from hims_pipeline.quoting import literal

Kind = Literal["integer", "decimal", "number", "text", "date", "boolean"]
Value = Decimal | date | bool | str
NUMERIC = ("integer", "decimal", "number")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def value_of(kind: Kind, text: object, scale: int = 0, date_format: str = "%Y-%m-%d") -> Value | None:
    """The value that a text stands for in a column of this type; None where it can be none of it.

    Args:
        scale: digits after the point of a decimal column; a number with more of them is no value of it.
        date_format: how the sender writes dates; ISO 8601 is understood too.
    """
    written = str(text)
    if kind == "text":
        return written
    if kind == "boolean":
        return _BOOLEANS.get(written.lower())
    if kind == "date":
        return _day(written, date_format)
    if not _NUMBER.fullmatch(written):
        return None
    number = Decimal(written)
    digits = {"integer": 0, "decimal": scale}.get(kind)
    return number if digits is None or number == round(number, digits) else None


def _day(written: str, date_format: str) -> date | None:
    for form in ("%Y-%m-%d", date_format):
        try:
            return datetime.strptime(written, form).date()
        except ValueError:
            continue
    return None


def value_sql(kind: Kind, value: Value) -> str:
    """A value as an SQL literal that compares with the column as a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return f"cast({literal(plain)} as double)" if kind == "number" else plain
    return f"date {literal(value.isoformat())}" if isinstance(value, date) else literal(value)
