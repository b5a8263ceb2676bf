"""A delivery that was the wrong file or period, taken out of what counts, and let in again."""

import contextlib
from functools import partial

from hims_pipeline.errors import Busy, HimsError
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.settings import Settings


def withdraw(settings: Settings, batch: str, reason: str) -> Delivery:
    """Take a delivery that was the wrong file or period out of what counts; an earlier one of its period counts again.

    It counts no longer as soon as this returns, also while a night runs: that publishes nothing made from it. Its files
    stay where that night may be reading them and leave `validated/` at the next start.

    Raises:
        HimsError: no such batch, no reason, or already withdrawn.
    """
    with acts_lock(settings, f"withdrawing {batch}"):
        delivery = landing.find_delivery(settings, batch)
        if delivery.withdrawn:
            raise HimsError(f"{delivery.batch} is withdrawn already: {delivery.withdrawn}")
        if not reason.strip():
            raise HimsError("Say why, with --reason: it is printed in the release notes.")
        put_back = partial(_put_back, settings, delivery)
        with journal.act(settings, journal.WITHDRAWN, put_back, batch=delivery.batch, reason=reason.strip()):
            changed = landing.set_withdrawn(settings, delivery, reason.strip())
    with contextlib.suppress(Busy), installation_lock(settings, f"setting {delivery.batch} aside"):
        batches.set_aside(settings, changed)
    return changed


def reinstate(settings: Settings, batch: str) -> Delivery:
    """Let a withdrawn delivery count again; it is judged anew at the next build.

    Raises:
        HimsError: no such batch, or it was not withdrawn.
    """
    with acts_lock(settings, f"reinstating {batch}"):
        delivery = landing.find_delivery(settings, batch)
        if not delivery.withdrawn:
            raise HimsError(f"{delivery.batch} was not withdrawn.")
        with journal.act(settings, journal.REINSTATED, partial(_put_back, settings, delivery), batch=delivery.batch):
            return landing.set_withdrawn(settings, delivery, "")


def _put_back(settings: Settings, delivery: Delivery) -> str:
    """A disk failed: the delivery's record says again what it said before."""
    if landing.find_delivery(settings, delivery.batch).withdrawn != delivery.withdrawn:
        landing.set_withdrawn(settings, delivery, delivery.withdrawn)
    return journal.UNDONE
