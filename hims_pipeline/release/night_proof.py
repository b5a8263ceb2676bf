"""The proof that a night ends with: a release of exactly the present inputs is current and intact, or one that was
chosen by hand stands. Computed anew from what lies on disk; what a run believes of itself is not asked."""

from dataclasses import dataclass

from hims_pipeline.errors import ReleaseError
from hims_pipeline.release import acts, store
from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings
from hims_pipeline.staging.inputs import input_rows, inputs_sha256


@dataclass(frozen=True)
class Proof:
    """A release that may be current tonight, and why: a sentence for people."""

    release: Release
    why: str


def prove(settings: Settings) -> Proof:
    """Prove that the current release is intact and is that of the present batches, rules and code.

    Raises:
        ReleaseError: nothing is published, the current release is damaged, or it was made of other inputs and nobody
            chose it in place of one made of these.
        Damaged: which release is current, or what was withdrawn, cannot be told.
    """
    now, taken_back = store.current_release(settings), acts.marks(settings)
    if now is None:
        raise ReleaseError("Nothing has been published yet.")
    if damaged := store.verify_release(settings, now):
        raise ReleaseError(f"The current release, {now.id}, is damaged: {'; '.join(damaged)}.")
    inputs = inputs_sha256(settings, input_rows(settings))
    if now.manifest("staff")["inputs_sha256"] == inputs:
        return Proof(now, f"{now.id} is intact and holds exactly the present batches, rules and code.")
    for release_id, why in taken_back.items():
        if why["inputs_sha256"] == inputs:
            return Proof(
                now,
                f"{now.id} stands, since `hims release use` chose it: {release_id}, which holds the present batches, "
                f"rules and code, was withdrawn ({why['reason']}).",
            )
    published = now.manifest()["published_at"]
    raise ReleaseError(f"The release {now.id} of {published} stays; it does not hold tonight's deliveries.")
