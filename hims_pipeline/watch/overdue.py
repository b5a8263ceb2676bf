"""Sources whose next delivery should be here, by the cadence of their contract and the last period that came."""

from collections.abc import Iterator
from datetime import date

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.lake import landing
from hims_pipeline.lake.lateness import MONTHS, due_after
from hims_pipeline.lake.periods import covers
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.watch.alert_kinds import Condition


def find_overdue(settings: Settings, today: date) -> Iterator[Condition]:
    """Sources of which something came before, or that the observatory requires, and whose next delivery is late.

    Any delivery of a period counts, a refused one too: that is told as such.
    """
    observatory = load_observatory(settings.data)
    ends = last_ends(settings)
    for source, contract in find_in_force(settings).contracts.items():
        if contract.cadence not in MONTHS:
            continue
        if source not in ends:
            if source in observatory.policies.required_sources:
                yield Condition("source-overdue", source, f"{source}: nothing was ever delivered.", today.isoformat())
            continue
        last, end = ends[source]
        due = due_after(contract, end, getattr(observatory.alerts.overdue_days, contract.cadence))
        if today > due:
            what = f"{source} ({contract.cadence}, {contract.owner.institution}): its last period is {last}."
            yield Condition("source-overdue", f"{source} after {last}", what, due.isoformat())


def last_ends(settings: Settings) -> dict[str, tuple[str, date]]:
    """Source -> the last period of which something was delivered and not withdrawn, and its last day."""
    contracts = find_in_force(settings).contracts
    last_by_source: dict[str, tuple[str, date]] = {}
    for delivery in landing.deliveries(settings):
        if delivery.withdrawn or delivery.source not in contracts:
            continue
        end = covers(contracts[delivery.source], delivery.period)[1]
        if delivery.source not in last_by_source or end > last_by_source[delivery.source][1]:
            last_by_source[delivery.source] = (delivery.period, end)
    return last_by_source
