"""Where each delivery stands, for pages and for the notes of a release."""

import json
from dataclasses import dataclass

from hims_pipeline.errors import Damaged
from hims_pipeline.intake.pending import mending_advice
from hims_pipeline.lake import batches, landing, tombstone
from hims_pipeline.lake.held_back import read_held_back
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.words import printable


@dataclass(frozen=True)
class BatchState:
    """Where one delivery stands, for status pages; `note`: what a person decided about it, or may decide."""

    batch: str
    state: str
    received_at: str
    rows: int | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    note: str = ""

    def as_json(self) -> dict[str, object]:
        record: dict[str, object] = json.loads(json.dumps(self.__dict__))
        return record


def states(settings: Settings, *, hashed: bool = False) -> list[BatchState]:
    """Every delivery and where it stands: accepted, superseded, held back, refused, withdrawn, pending, damaged.

    Args:
        hashed: read the files of accepted batches too, which takes its time; records are always proven.
    """
    sent = landing.deliveries(settings)
    contracts = find_in_force(settings).contracts
    counts = {b.manifest.batch for c in contracts.values() for b in batches.find_current_batches(settings, c, sent)}
    all_states = [_state(settings, delivery, counts, hashed) for delivery in sent]
    return all_states + [_damaged_state(one) for one in landing.damaged_records(settings)]


def _state(settings: Settings, delivery: Delivery, counts: set[str], hashed: bool) -> BatchState:
    known = batches.prove_batch(settings, delivery)
    batch, damage = known.batch, known.damage
    if hashed and batch and (damaged := batches.find_damaged_files(batch)):
        damage = f"{', '.join(damaged)} in {batch.folder.relative_to(settings.home)}"
    findings = known.verdict.findings if known.verdict else ()
    reasons = tuple(f.sentence() for f in findings if f.severity == "blocking")
    if delivery.withdrawn:
        state, reasons = "withdrawn", (printable(delivery.withdrawn),)
    elif damage:
        state, reasons = "damaged", (f"Not what we wrote, and read again by the next run: {damage}.",)
    elif known.verdict is None:
        state = "pending"
    elif batch and (back := read_held_back(settings).get(delivery.batch)):
        state, reasons = "held back", (back["reason"],)
    else:
        state = "superseded" if batch and delivery.batch not in counts else known.verdict.status
        if state == "accepted" and batch is None:  # a person's acceptance was taken back; the next run carries it out
            state = "refused"
    return BatchState(
        batch=delivery.batch,
        state=state,
        received_at=delivery.received_at,
        rows=batch.manifest.rows if batch and not delivery.withdrawn else None,
        reasons=reasons,
        warnings=tuple(f.sentence() for f in findings if f.severity == "warning"),
        note=_note(state, known.verdict),
    )


def _note(state: str, verdict: Verdict | None) -> str:
    if verdict is None or state not in ("accepted", "superseded", "refused"):
        return ""
    if verdict.is_overruled and verdict.acceptance and state != "refused":
        acceptance = verdict.acceptance
        name, reason = printable(acceptance.name), printable(acceptance.reason)
        return f"accepted against the gate by {name} on {acceptance.at[:10]}: {reason}"
    return "may be accepted with a reason" if state == "refused" and not verdict.forbidding else ""


def find_destroyed(settings: Settings) -> list[BatchState]:
    """Deliveries that were destroyed under their legal term: their figures are no longer there, and this says why."""
    return [
        BatchState(one.batch, "destroyed", one.received_at, None, (one.sentence(),), ())
        for one in tombstone.tombstones(settings)
    ]


def _damaged_state(damaged: Damaged) -> BatchState:
    """A delivery that does not count since its record cannot be believed."""
    return BatchState(landing.batch_of(damaged), "damaged", "", None, (f"{damaged} {mending_advice(damaged)}",), ())
