"""Periods: how they are spelt, which days they cover, and whether they have begun.

A clock is asked to refuse what lies ahead, and never for an order.
"""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.contracts.periods import GREGORIAN, PATTERNS, SPELLING, calendar_days_of
from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings


def is_period(contract: Contract, period: str) -> bool:
    """Is this a period as the contract's periods are written?"""
    try:
        return bool(covers(contract, period))
    except ValueError:
        return False


def today_of(settings: Settings) -> date:
    """The day it is where the observatory stands, by this machine's clock."""
    named = (settings.data / "observatory.yml").exists()
    return datetime.now(ZoneInfo(load_observatory(settings.data).time_zone) if named else UTC).date()


def trouble_of_period(contract: Contract, period: str, today: date) -> str:
    """Why nothing can be delivered for a period; `""` where it can."""
    if not is_period(contract, period):
        return f"must be {SPELLING[contract.period.pattern]}"
    if covers(contract, period)[0].year < GREGORIAN:
        return (
            f"is of a year before {GREGORIAN}, as of another calendar (Hijri, Persian); give the year of the common era"
        )
    if covers(contract, period)[0] > today and not contract.period.may_be_ahead:
        return (
            f"lies ahead: by this machine's clock it is {today}. Correct the period, or the clock; a source that may "
            "be ahead, as projections are, has `period: {may_be_ahead: true}` in its contract"
        )
    return ""


def check_period(settings: Settings, contract: Contract, period: str, today: date | None = None) -> None:
    """Refuse a period that is not spelt as the contract says or has not begun.

    Raises:
        HimsError: what is wrong with it.
    """
    if trouble := trouble_of_period(contract, period, today or today_of(settings)):
        raise HimsError(f"{contract.source}: period {period!r} {trouble}.")


def covers(contract: Contract, period: str) -> tuple[date, date]:
    """First and last day of a period; a census has its own dates in the contract's `reference_dates`.

    Raises:
        ValueError: the period is not spelt as the contract says.
    """
    if period in contract.reference_dates:
        start, end = contract.reference_dates[period]
        return date.fromisoformat(start), date.fromisoformat(end)
    return calendar_days_of(contract.period.pattern, period, contract.period.first_month)


def periods_named(contract: Contract, name: str) -> set[str]:
    """The periods that stand in a file's name."""
    pattern = PATTERNS[contract.period.pattern][0].pattern
    matches = re.finditer(rf"(?<![0-9])(?:{pattern})(?![0-9])", name)
    return {match.group(0) for match in matches if is_period(contract, match.group(0))}
