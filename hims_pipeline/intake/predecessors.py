"""Which accepted batches a delivery is compared with: the same period's, if it was sent before; else the period before
it, the same season of the year before, or, where nothing is earlier, the next one. Where nothing
was accepted, the source's reference, if the observatory pinned one.

Only what arrived before it: so a verdict does not change with what comes later, and an order of arrival always works.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.beside import Predecessor
from hims_pipeline.gates.references import reference_for
from hims_pipeline.lake import batches
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.periods import covers
from hims_pipeline.settings import Settings

Accepted = tuple[str, str, Path, str]  # batch, period, profile, its hash
SEASON_DAYS = 20  # around a year: the same month, quarter or day of the year before


def predecessors_of(
    settings: Settings, contract: Contract, delivery: Delivery, sent: Iterable[Delivery]
) -> list[Predecessor]:
    """The batches that a delivery is compared with, none where nothing accepted came before it.

    Args:
        sent: all deliveries of the source.
    """
    earlier = sorted((one for one in sent if one.sequence < delivery.sequence), key=lambda one: one.sequence)
    accepted: list[Accepted] = []
    for one in earlier:
        batch = batches.find_accepted_batch(settings, one)
        if batch is not None and batch.verdict.profile_sha256:
            accepted.append((one.batch, one.period, batch.folder / batches.PROFILE, batch.verdict.profile_sha256))
    known = choose_predecessors(accepted, contract, delivery.period)
    return [*known, *find_reference(settings.expectations, contract, delivery.period, known)]


def find_reference(
    expectations: Path, contract: Contract, period: str, known: Sequence[Predecessor]
) -> list[Predecessor]:
    """The reference that an observatory keeps of a source: for want of accepted batches, or beside those of other
    periods where it is of this one."""
    reference = reference_for(expectations, contract, period)
    if reference is None or any(one.period == period for one in known) or (known and reference[1] != period):
        return []
    return [Predecessor(reference[0], reference[1], reference[2], sha256_of(reference[2]))]


def choose_predecessors(accepted: Sequence[Accepted], contract: Contract, period: str) -> list[Predecessor]:
    """Of accepted batches in the order of arrival, those that a period is compared with."""
    latest = {one[1]: one for one in accepted}
    if period in latest:
        return [Predecessor(*latest[period])]
    start = covers(contract, period)[0]
    away = {other: (start - covers(contract, other)[0]).days for other in latest}
    before = sorted((days, other) for other, days in away.items() if days > 0)
    behind = sorted((-days, other) for other, days in away.items() if days < 0)
    names = [other for _, other in (before or behind)[:1]]
    names += [other for days, other in before if abs(days - 365) <= SEASON_DAYS and other not in names]
    return [Predecessor(*latest[name]) for name in names]
