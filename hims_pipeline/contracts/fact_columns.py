"""One column of a conformed fact, as far as a mapping into it must know it. Not here: reading the facts (`facts`)."""

import re
from dataclasses import dataclass
from decimal import Decimal

_INTEGERS = {"integer": 2**31 - 1, "bigint": 2**63 - 1}


@dataclass(frozen=True)
class FactColumn:
    """A column that feeds may map.

    Args:
        sql_type: DuckDB type, in lower case.
        accepted: the codes it may hold, where its tests list them.
        special: special codes (`_U`, `_R`, …) that it may hold.
        list_: the table that its codes must stand in, such as `dim_country`; empty where there is none.
        of: figure of the same row whose status it tells (`meta: of`); a feed need not map it then.
        is_needed: no row may be without it (`not_null`), and the fact has nothing to put in its place
            (`meta: may_be_empty`): one empty cell would end the build of all sources.
        is_total: it holds the persons, events or money of a whole cell (`meta: total`); a row that feeds it from a
            column is a cell of a table, any other a person or an event.
    """

    name: str
    sql_type: str
    accepted: frozenset[str] | None = None
    special: frozenset[str] = frozenset()
    of: str = ""
    list_: str = ""
    is_needed: bool = False
    is_total: bool = False

    @property
    def kind(self) -> str:
        """text, number, date or boolean."""
        known = {"varchar": "text", "date": "date", "boolean": "boolean"}
        return known.get(self.sql_type, "number")

    @property
    def scale(self) -> int | None:
        """Digits after the point that it keeps; None where it keeps all that a double has."""
        if self.sql_type in _INTEGERS:
            return 0
        parts = re.fullmatch(r"decimal\((\d+), ?(\d+)\)", self.sql_type)
        return int(parts.group(2)) if parts else None

    @property
    def bounds(self) -> tuple[Decimal, Decimal] | None:
        """Smallest and largest number that it holds; years are those that a date can have."""
        if self.sql_type in _INTEGERS and (self.name == "year" or self.name.endswith("_year")):
            return Decimal(1), Decimal(9999)
        if self.sql_type in _INTEGERS:
            return Decimal(-_INTEGERS[self.sql_type]), Decimal(_INTEGERS[self.sql_type])
        if parts := re.fullmatch(r"decimal\((\d+), ?(\d+)\)", self.sql_type):
            digits, scale = int(parts.group(1)), int(parts.group(2))
            most = Decimal(10) ** (digits - scale) * Decimal("0.999")  # doubles are coarse at the very end
            return -most, most
        return None


def is_area(column: str) -> bool:
    """Does a column of a fact hold codes of `areas.csv`?"""
    return column == "area_code" or column.endswith("_area_code")
