"""Sources whose next delivery should be here by the cadence of their contract: late by what was accepted, so that a
release can say that it stands on older data, and be held where the observatory says so.

Not here: alerts about what was not delivered at all (`watch.overdue`).
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.lake.periods import covers
from hims_pipeline.settings import Settings

MONTHS = {"monthly": 1, "quarterly": 3, "annual": 12, "decennial": 120}


@dataclass(frozen=True)
class Late:
    """A source that counts with its last accepted period, although the next one was due."""

    source: str
    last_period: str
    due: date


def due_after(contract: Contract, end: date, days: int) -> date:
    """The day on which the delivery that follows a period must be here.

    Args:
        end: last day of the period.
        days: granted after the end of the period that follows.
    """
    return _add_months(end, MONTHS[contract.cadence]) + timedelta(days=days)


def late_sources(settings: Settings, counting: Iterable[tuple[str, str]], today: date) -> list[Late]:
    """Of sources with periods that count, those whose next delivery was due before today, by name."""
    contracts, days = load_contracts(settings.data), load_observatory(settings.data).alerts.overdue_days
    last: dict[str, tuple[date, str]] = {}
    for source, period in counting:
        contract = contracts.get(source)
        if contract is not None and contract.cadence in MONTHS:
            end = covers(contract, period)[1]
            last[source] = max(last.get(source, (date.min, "")), (end, period))
    late = []
    for source, (end, period) in sorted(last.items()):
        due = due_after(contracts[source], end, getattr(days, contracts[source].cadence))
        if today > due:
            late.append(Late(source, period, due))
    return late


def _add_months(day: date, months: int) -> date:
    """The same day of a later month; the last day of a month stays the last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    was_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if was_last else min(day.day, last))
