"""What a file or its codebook calls missing, held against the contract: what the contract takes for values is told,
since it would be counted, summed and averaged."""

import math
from collections.abc import Iterable
from decimal import Decimal

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.missing import Missing, Range
from hims_pipeline.contracts.values import NUMERIC, Value

_OPEN = 1e300  # SPSS writes LOWEST and HIGHEST as the largest doubles


def taken_for_values(column: Column, codes: Iterable[str], ranges: Iterable[tuple[float, float]] = ()) -> list[str]:
    """What the file declares missing and the contract does not, as text; ranges as `low to high`."""
    if column.sensitivity == "identifier":
        return []
    absent = column.absent
    values = [(code, column.value_of(code)) for code in codes]
    unknown_codes = [code for code, value in values if not _is_known(absent, code, value)]
    if column.type in NUMERIC:
        unknown_codes += [_words(*ends) for ends in ranges if not _covers(absent, *ends)]
    return unknown_codes


def _is_known(absent: Missing, code: str, value: Value | None) -> bool:
    if value is None:  # no value of the type: a mark, or it would be refused in the data
        return code in absent.marks or code in absent.nulls or not code.isalpha()
    return value in absent.codes or any(one.holds(value) for one, _ in absent.ranges)


def _covers(absent: Missing, low: float, high: float) -> bool:
    """Do the contract's ranges hold a whole range? Single codes do, where all of a short range stand."""
    if any(_reaches(one, low, high) for one, _ in absent.ranges):
        return True
    if abs(low) > _OPEN or abs(high) > _OPEN or high - low > len(absent.codes):
        return False
    return all(Decimal(number) in absent.codes for number in range(math.ceil(low), math.floor(high) + 1))


def _reaches(range_: Range, low: float, high: float) -> bool:
    below = range_.low is None or (low > -_OPEN and range_.low <= Decimal(str(low)))  # type: ignore[operator]
    above = range_.high is None or (high < _OPEN and range_.high >= Decimal(str(high)))  # type: ignore[operator]
    return below and above


def _words(low: float, high: float) -> str:
    return f"{'lowest' if low <= -_OPEN else f'{low:.15g}'} to {'highest' if high >= _OPEN else f'{high:.15g}'}"
