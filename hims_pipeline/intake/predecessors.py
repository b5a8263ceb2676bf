"""Which accepted batches a delivery is compared with: the same period's, if it was sent before; else the period before
it, the same season of the year before, or, where nothing is earlier, the next one; and some more before these, which
a small batch is held against together. Where nothing was accepted, the source's reference, if the observatory pinned
one.

Only what arrived before it: so a verdict does not change with what comes later, and an order of arrival always works.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.predecessor_evidence import Predecessor, choose_near
from hims_pipeline.gates.references import reference_for
from hims_pipeline.lake import batches
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.periods import covers
from hims_pipeline.settings import Settings

Accepted = tuple[str, str, Path, str]  # batch, period, profile, its hash
TOGETHER = 8  # periods: two years of quarters


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
    """Of accepted batches in the order of arrival, those that a period is compared with: the near ones, and those
    before them, which a small batch is held against together."""
    latest = {one[1]: Predecessor(*one) for one in accepted}
    if period in latest:
        return [latest[period]]
    near = choose_near(list(latest.values()), contract, period)
    start = covers(contract, period)[0]
    earlier = sorted(
        (one for one in latest.values() if covers(contract, one.period)[0] < start),
        key=lambda one: covers(contract, one.period)[0],
        reverse=True,
    )
    return [*near, *(one for one in earlier[:TOGETHER] if one not in near)]
