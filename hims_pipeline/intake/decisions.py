"""What people decide about a delivery that the gate has judged: accepted against it, rejected, or sent again.

The audit trail holds the decision, sealed, with the account that the kernel names; a verdict carries it as far as its
own rules allow that (`Verdict.excused`), so acceptance is derived from both and stored by neither alone. A decision is
written down at once, also while a night runs. Not here: withdrawing (`withdrawals`).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Busy, HimsError
from hims_pipeline.intake.taking_in import carry_decision, contract_of
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.batches import ProvenBatch
from hims_pipeline.lake.decision_trail import acceptances
from hims_pipeline.lake.landing import Delivery, Taken
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings
from hims_pipeline.words import printable

LONGEST = 1_000  # characters of what a person says


def accept(settings: Settings, batch: str, name: str, reason: str) -> tuple[Delivery, bool]:
    """Accept a refused delivery against the gate; returns it and whether it counts already.

    While a night runs it does not, and the next one takes it in.

    Raises:
        HimsError: no such batch, no name or reason, nothing to decide, a rule that allows no acceptance, or a later
            delivery that counts in its place.
    """
    name, reason = _one_line(name, "--name"), _one_line(reason, "--reason")
    with acts_lock(settings, f"accepting {batch}"):
        delivery = landing.find_delivery(settings, batch)
        verdict = _find_refusal(delivery, batches.prove_batch(settings, delivery))
        if forbidding := verdict.forbidding:
            named = ", ".join(forbidding)
            raise HimsError(
                f"{delivery.batch} cannot be accepted against {named}: no person may overrule what its figures cannot "
                "be made with. Have it sent again corrected (`hims batch resubmit`), or change the rule, as data."
            )
        _refuse_superseded(settings, delivery)
        facts: dict[str, Any] = {
            "batch": delivery.batch, "name": name, "reason": reason, "delivery_sha256": delivery.sha256,
            "verdict_sha256": verdict.sha256, "rules": sorted({one.rule for one in verdict.reasons}),
        }  # fmt: skip
        with journal.act(settings, journal.ACCEPTED, **facts):
            pass  # the line is the act; the verdict follows from it
    return delivery, _carry_out(settings, delivery)


def reject(settings: Settings, batch: str, name: str, reason: str) -> tuple[Delivery, bool]:
    """Take back that a delivery was accepted against the gate, or decide that a refused one stays so; returns it and
    whether that holds already.

    Raises:
        HimsError: no such batch, no name or reason, or the gate itself accepts it.
    """
    name, reason = _one_line(name, "--name"), _one_line(reason, "--reason")
    with acts_lock(settings, f"rejecting {batch}"):
        delivery = landing.find_delivery(settings, batch)
        known = batches.prove_batch(settings, delivery)
        if known.verdict is not None and known.verdict.accepted and not known.verdict.is_overruled:
            raise HimsError(
                f"{delivery.batch} was accepted by the gate. `hims batch withdraw` takes a wrong file or period back."
            )
        with journal.act(settings, journal.REJECTED, batch=delivery.batch, name=name, reason=reason):
            pass
    return delivery, _carry_out(settings, delivery)


def resubmit(settings: Settings, batch: str, files: Sequence[Path], reason: str) -> tuple[Delivery, Taken]:
    """Take files over as the corrected form of a delivery; returns the former one and what was taken over.

    Raises:
        HimsError: the files are those that were sent before, or the former delivery counts and would go on counting
            beside the new one.
    """
    delivery = landing.find_delivery(settings, batch)
    contract = contract_of(settings, delivery.source)
    known = batches.prove_batch(settings, delivery)
    if known.batch is not None and not delivery.withdrawn and contract.period.supersedes == "nothing":
        raise HimsError(
            f"{delivery.batch} counts, and each delivery of {delivery.source} counts beside the others: withdraw it "
            "first (`hims batch withdraw`)."
        )
    taken = landing.take_over_files(settings, contract, delivery.period, files)
    if taken.delivery.batch == delivery.batch:
        raise HimsError(f"These are the files of {delivery.batch}, byte for byte: nothing in them was corrected.")
    journal.record(
        settings, journal.RESUBMITTED, batch=taken.delivery.batch, instead_of=delivery.batch, reason=printable(reason)
    )
    return delivery, taken


def _one_line(text: str, option: str) -> str:
    """What a person says, on one line."""
    messages = " ".join(printable(text).split())
    if len(messages) > LONGEST:
        raise HimsError(f"{option} has {len(messages):,} characters; say it in {LONGEST}.")
    if not messages:
        raise HimsError(f"Say it with {option}: it stands in the audit trail and in the release notes.")
    return messages


def _find_refusal(delivery: Delivery, known: ProvenBatch) -> Verdict:
    if delivery.withdrawn:
        raise HimsError(f"{delivery.batch} is withdrawn: {delivery.withdrawn}. `hims batch reinstate` comes first.")
    if known.damage or known.verdict is None:
        raise HimsError(f"{delivery.batch} has no verdict to decide on; the next run judges it. {known.damage}".strip())
    if known.verdict.accepted:
        raise HimsError(f"{delivery.batch} is accepted already.")
    return known.verdict


def _refuse_superseded(settings: Settings, delivery: Delivery) -> None:
    """A later delivery that counts in its place leaves nothing to decide.

    Raises:
        HimsError: there is one.
    """
    rule = contract_of(settings, delivery.source).period.supersedes
    later = [
        one
        for one in landing.deliveries(settings, delivery.source)
        if not one.withdrawn and _is_over(rule, one, delivery)
    ]
    for one in later:
        if rule == "earlier_deliveries" or batches.prove_batch(settings, one).batch is not None:
            raise HimsError(
                f"{delivery.batch} is superseded by {one.batch}: accepting it would change nothing. If the later"
                " one is wrong, withdraw that first."
            )


def _is_over(rule: str, other: Delivery, delivery: Delivery) -> bool:
    """Does another delivery supersede this one, if it is accepted?"""
    if rule == "nothing":
        return False
    later = other.sequence > delivery.sequence
    if rule == "earlier_deliveries":
        return later
    if rule == "earlier_editions" and other.period != delivery.period:
        return other.period > delivery.period
    return other.period == delivery.period and later


def _carry_out(settings: Settings, delivery: Delivery) -> bool:
    """Let the verdict carry what was decided, unless a run is under way: then the next one does it."""
    with suppress(Busy), installation_lock(settings, f"carrying out what was decided on {delivery.batch}"):
        known = batches.prove_batch(settings, delivery)
        messages = acceptances(settings).get(delivery.batch)
        if known.verdict is not None and not known.damage and known.verdict.stage == "gate":
            if known.verdict.acceptance != messages:
                carry_decision(settings, delivery, replace(known.verdict, acceptance=messages))
            return True
        return known.verdict is not None and messages is None
    return False
