"""What a killed process left begun is finished or undone, and written down: called at the start of every night and of
every command that changes what counts.

Every act of the audit trail runs under the acts' lock, so whatever is still begun while we hold that lock is nobody's.
Each kind of act has one way to be finished that does no harm when it had been done already. Not here: folders of builds
and half-made deliveries, which no act stands behind (`build.clear_dead_builds`).
"""

from collections.abc import Callable
from typing import Any

from hims_pipeline import retention
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import batches, journal, landing, reserve, trail
from hims_pipeline.lake.journal import DONE, FAILED, INTERRUPTED, PUBLISHED, REINSTATED, UNDONE, USED, WITHDRAWN
from hims_pipeline.lake.lock import acts_lock, holds_installation
from hims_pipeline.release import acts
from hims_pipeline.settings import Settings

Finish = Callable[[Settings, dict[str, Any]], str]


def reconcile(settings: Settings) -> list[str]:
    """Bring the trail and what it tells of into agreement; returns what was done, and damage that was found, as lines.

    Batches that were withdrawn while a night ran leave `validated/` here, where the caller holds the installation.

    Raises:
        Damaged: the trail's head is missing or is not what we wrote: nothing can be recorded, so nothing is done.
    """
    reserve.keep_reserve(settings)
    with acts_lock(settings, "finishing what was interrupted"):
        closed = [text for text in [trail.mend(settings)] if text]
        closed += [f"the audit trail is damaged: {text}" for text in trail.check(settings).damage]
        for intent, state in journal.acts(settings):
            if state == journal.BEGUN or (state == FAILED and intent["event"] in FINISH):
                closed.append(_close(settings, intent))
        closed += acts.mend_pointer(settings)
        if holds_installation(settings):
            tidy(settings)
    return closed


def tidy(settings: Settings) -> None:
    """Take the batches of withdrawn deliveries out of `validated/`. The caller holds the installation's lock."""
    for delivery in landing.deliveries(settings):
        if delivery.withdrawn:
            batches.set_aside(settings, delivery)


def _close(settings: Settings, intent: dict[str, Any]) -> str:
    state = INTERRUPTED
    if trail.is_ours(settings, intent):  # a line that somebody else wrote is nothing to act on
        state = FINISH[intent["event"]](settings, intent) if intent["event"] in FINISH else INTERRUPTED
    journal.close(settings, intent, state, "left begun by a process that was killed or failed")
    about = intent.get("batch") or intent.get("release") or f"line {intent['number']}"
    outcome = {DONE: "finished", UNDONE: "undone"}.get(state, "recorded as interrupted")
    return f"{intent['event']} ({about}) had been left begun: {outcome}"


def _find_later_acts(settings: Settings, intent: dict[str, Any], *events: str) -> list[dict[str, Any]]:
    """Acts of these kinds that were carried out after an intent: they decided, and it must not come over them."""
    return [one for one in journal.done(settings, *events) if one["number"] > intent["number"]]


def _set_withdrawn(settings: Settings, intent: dict[str, Any]) -> str:
    if any(one["batch"] == intent["batch"] for one in _find_later_acts(settings, intent, WITHDRAWN, REINSTATED)):
        return UNDONE
    try:
        delivery = landing.find_delivery(settings, intent["batch"])
    except HimsError:
        return UNDONE
    reason = intent["reason"] if intent["event"] == WITHDRAWN else ""
    if delivery.withdrawn != reason:
        landing.set_withdrawn(settings, delivery, reason)
    return DONE


def _use(settings: Settings, intent: dict[str, Any]) -> str:
    if _find_later_acts(settings, intent, USED, PUBLISHED):
        return UNDONE
    acts.carry_out_use(settings, intent)
    return DONE


def _publish(settings: Settings, intent: dict[str, Any]) -> str:
    return DONE if acts.finish_publication(settings, intent) else UNDONE


def _retire(settings: Settings, intent: dict[str, Any]) -> str:
    acts.finish_retirement(settings, intent)
    return DONE


def _receive(settings: Settings, intent: dict[str, Any]) -> str:
    """One that was sent again has a higher number than before."""
    numbers = [delivery.sequence for delivery in landing.deliveries(settings) if delivery.batch == intent["batch"]]
    return DONE if numbers and numbers[0] >= intent.get("sequence", 0) else UNDONE


def _judge(settings: Settings, intent: dict[str, Any]) -> str:
    """A batch whose verdict did not come to its place is pending again, and will be judged anew."""
    try:
        verdict = batches.prove_batch(settings, landing.find_delivery(settings, intent["batch"])).verdict
    except HimsError:
        return UNDONE
    return DONE if verdict is not None and verdict.judged_at == intent["judged_at"] else UNDONE


def _destroy(settings: Settings, intent: dict[str, Any]) -> str:
    retention.finish_destruction(settings, intent)
    return DONE


def _forget(settings: Settings, intent: dict[str, Any]) -> str:
    retention.remove_all(settings, intent["batch"])
    return DONE


FINISH: dict[str, Finish] = {
    journal.RECEIVED: _receive,
    journal.JUDGED: _judge,
    WITHDRAWN: _set_withdrawn,
    REINSTATED: _set_withdrawn,
    USED: _use,
    PUBLISHED: _publish,
    journal.RETIRED: _retire,
    retention.DESTROYED: _destroy,
    retention.FORGOTTEN: _forget,
}
