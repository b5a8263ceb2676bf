"""What is done with releases: publish, use, retire. Each is an act of the audit trail, under the acts' lock.

What `CURRENT` and `WITHDRAWN.json` must say follows from the trail, so that a kill between two writes, or a hand that
edited one of them, is put right from it. Not here: reading (`store`), proving (`proof`), making a release (`publish`).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged, ReleaseError
from hims_pipeline.lake import journal, seal, trail
from hims_pipeline.lake.files import move_folder, remove_folder, sha256_of, write_text
from hims_pipeline.lake.journal import PUBLISHED, RETIRED, USED
from hims_pipeline.lake.lock import acts_lock
from hims_pipeline.release import proof, store
from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings

MARKS = "releases taken back"
PUBLIC_FILE = 0o644
Log = Callable[[str], None]


def marks(settings: Settings) -> dict[str, dict[str, str]]:
    """As `withdrawn`, proved: as sealed, or as the audit trail tells where the file is not what we wrote.

    Raises:
        Damaged: neither can be trusted.
    """
    path = settings.releases / "WITHDRAWN.json"
    if path.exists():
        try:
            marks: dict[str, dict[str, str]] = seal.read_sealed(settings, path, MARKS)["releases"]
            return marks
        except Damaged:
            if trail.check(settings).damage:
                raise
    return follow_trail(settings)[1]


def follow_trail(settings: Settings) -> tuple[str | None, dict[str, dict[str, str]]]:
    """The current release and the marks as they follow from the audit trail."""
    now: str | None = None
    taken_back: dict[str, dict[str, str]] = {}
    known = [(intent, intent["number"]) for intent in journal.done(settings, PUBLISHED, USED)]
    known += [(one, one["number"]) for one in journal.entries(settings) if one["event"] == trail.RENEWED]
    for entry, _ in sorted(known, key=lambda pair: pair[1]):
        now, taken_back = _apply_act(entry, now, taken_back)
    return now, taken_back


def _apply_act(entry: dict[str, Any], now: str | None, taken_back: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    if entry["event"] == trail.RENEWED:
        return entry.get("current", now), entry.get("withdrawn", taken_back)
    left = {name: why for name, why in taken_back.items() if name != entry["release"]}
    return entry["release"], left | entry.get("withdrawn", {})


def point_to(settings: Settings, release_id: str) -> None:
    """Make a release the current one, in one durable step. A part of an act, never called alone."""
    write_text(settings.releases / "CURRENT", release_id + "\n", PUBLIC_FILE)


def _mark(settings: Settings, taken_back: dict[str, dict[str, str]]) -> None:
    seal.write_sealed(settings, settings.releases / "WITHDRAWN.json", MARKS, {"releases": taken_back}, PUBLIC_FILE)


def use_release(settings: Settings, release_id: str, reason: str) -> Release:
    """Roll back (or forward) to a release. Newer ones are marked withdrawn, so that no night brings them back.

    Raises:
        ReleaseError: no such release, a damaged one, or no reason given.
    """
    if not reason.strip():
        raise ReleaseError("Say why, with --reason: it stands in the audit trail.")
    release = store.get(settings, release_id)
    if damaged := store.verify_release(
        settings, release
    ):  # every file is read: before the lock, since it takes its time
        raise ReleaseError(f"{release_id} is damaged and cannot be used: {'; '.join(damaged)}.")
    with acts_lock(settings, f"using {release_id}"):
        store.get(settings, release_id)  # may have been retired since
        newer = [one for one in store.releases(settings) if one.id > release_id]
        taken_back = {one.id: {"reason": reason, "inputs_sha256": _inputs_of(settings, one)} for one in newer}
        put_back = partial(_put_back, settings, _pointer(settings), marks(settings))
        with journal.act(settings, USED, put_back, release=release_id, reason=reason, withdrawn=taken_back):
            carry_out_use(settings, {"event": USED, "release": release_id, "withdrawn": taken_back})
    return release


def _put_back(settings: Settings, now: str | None, taken_back: dict[str, dict[str, str]]) -> str:
    """A disk failed: pointer and marks say again what they said before."""
    if now is not None and _pointer(settings) != now:
        point_to(settings, now)
    if marks(settings) != taken_back:
        _mark(settings, taken_back)
    return journal.UNDONE


def _pointer(settings: Settings) -> str | None:
    """As `store.pointer`, None where it holds no id."""
    try:
        return store.pointer(settings)
    except Damaged:
        return None


def carry_out_use(settings: Settings, intent: dict[str, Any]) -> None:
    """Do what the intent of a `use_release` says; twice is the same as once."""
    release_id, taken_back = _apply_act(intent, None, marks(settings))
    assert release_id is not None
    point_to(settings, release_id)  # first: what is wrong goes out of readers' hands
    _mark(settings, taken_back)


def _inputs_of(settings: Settings, release: Release) -> str:
    """The hash of a release's inputs, from the audit trail where its manifest is damaged."""
    for intent in journal.done(settings, PUBLISHED):
        if intent["release"] == release.id:
            intended: str = intent["inputs_sha256"]
            return intended
    try:
        inputs: str = release.manifest("staff")["inputs_sha256"]
        return inputs
    except Damaged:
        return ""


def place(settings: Settings, candidate: Path, release_id: str, inputs_sha256: str) -> None:
    """Publish a finished candidate: one rename, then the pointer, as one act."""
    manifests = {part: sha256_of(candidate / part / proof.MANIFEST) for part in proof.PARTS}
    facts = {"release": release_id, "inputs_sha256": inputs_sha256, "manifests": manifests}
    with journal.act(settings, PUBLISHED, partial(_settle_publication, settings, release_id), **facts):
        move_folder(candidate, settings.releases / release_id)
        point_to(settings, release_id)


def _settle_publication(settings: Settings, release_id: str) -> str:
    """A disk failed: what readers have met stays published, anything less is removed."""
    if _pointer(settings) == release_id:
        point_to(settings, release_id)
        return journal.DONE
    remove_folder(settings.releases / release_id)
    return journal.UNDONE


def finish_publication(settings: Settings, intent: dict[str, Any]) -> bool:
    """Carry out a publication that a kill came into. Where its folder is not whole, or a later act decided on the
    current release, it is removed instead: no reader has met it; returns False then."""
    later = [one for one in journal.done(settings, PUBLISHED, USED) if one["number"] > intent["number"]]
    release = Release(intent["release"], settings.releases / intent["release"])
    if later or not release.folder.is_dir() or store.verify_release(settings, release):
        remove_folder(release.folder)
        return False
    point_to(settings, release.id)
    return True


def finish_retirement(settings: Settings, intent: dict[str, Any]) -> None:
    """Delete what is left of a release whose retirement a kill came into."""
    remove_folder(settings.releases / intent["release"])


def mend_pointer(settings: Settings) -> list[str]:
    """Make `CURRENT` and `WITHDRAWN.json` say what the audit trail says, where that is whole; tells what was changed.

    The caller holds the acts' lock and has closed what was left begun.
    """
    now, taken_back = follow_trail(settings)
    wrong = disagreements(settings)
    if now is None or not wrong or trail.check(settings).damage:
        return []
    with journal.act(settings, journal.POINTER_MENDED, release=now, wrong=wrong):
        point_to(settings, now)
        _mark(settings, taken_back)
    return [f"{text}: put right from the audit trail" for text in wrong]


def disagreements(settings: Settings) -> list[str]:
    """Where `CURRENT` and `WITHDRAWN.json` are not what the audit trail tells."""
    now, taken_back = follow_trail(settings)
    if now is None:
        return []
    disagreeing = []
    try:
        if store.pointer(settings) != now:
            disagreeing.append(f"CURRENT names {store.pointer(settings)}, the audit trail {now}")
    except Damaged as error:
        disagreeing.append(f"CURRENT {error.what.split(';')[0]}")
    path = settings.releases / "WITHDRAWN.json"
    try:
        if (seal.read_sealed(settings, path, MARKS)["releases"] if path.exists() else {}) != taken_back:
            disagreeing.append("WITHDRAWN.json is not what the audit trail tells")
    except Damaged as error:
        disagreeing.append(f"WITHDRAWN.json {error.what.split(';')[0]}")
    return disagreeing


def newest_intact(settings: Settings, log: Log = lambda text: None) -> Release | None:
    """The current release, or the newest that was not taken back where that one is damaged; None without any."""
    try:
        now = store.current_release(settings)
    except Damaged as error:
        log(str(error))
        now = None
    taken_back = marks(settings)
    others = [
        release for release in reversed(store.releases(settings)) if release != now and release.id not in taken_back
    ]
    for other in [*([now] if now else []), *others]:
        if not (damaged := store.verify_release(settings, other)):
            return other
        log(f"{other.id} is damaged, so nothing is compared with it: {'; '.join(damaged)}")
    return None


def retire(settings: Settings, keep: int) -> list[str]:
    """Delete the oldest releases beyond `keep`, never the current one or the newest two."""
    with acts_lock(settings, "retiring old releases"):
        now = store.pointer(settings)
        everything = store.releases(settings)
        spared = {one.id for one in everything[-max(keep, 2) :]} | {now}
        gone = [one for one in everything if one.id not in spared]
        for one in gone:
            with journal.act(settings, RETIRED, release=one.id):
                remove_folder(one.folder)
    return [one.id for one in gone]
