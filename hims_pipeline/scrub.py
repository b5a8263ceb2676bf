"""The nightly scrub: everything that was written once is read again and held against its hash, so that a bit which fell
over in silence is found before it is needed.

Parts (a delivery, a batch, a release, the rendered tree) are hashed whole. The small records that all else hangs on are
proven every night; parts take turns, those seen longest ago first, as many bytes a night as `observatory.yml` allows,
and more where it would take more nights than it allows. Not here: mending. A damaged batch is read again by the intake,
and a release is never a condition of the next one.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from hims_pipeline.carry import last_build
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.failures import explain
from hims_pipeline.lake import batches, journal, landing, reports, sequence, trail
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.plain_file import read_checked
from hims_pipeline.privacy.keys import check_key
from hims_pipeline.release import acts, store
from hims_pipeline.reporting import page
from hims_pipeline.settings import Settings
from hims_pipeline.staging import in_force, render

Log = Callable[[str], None]
SEEN = "scrub.json"
MEGABYTE = 1_000_000
TOLD_EVERY = 2_000 * MEGABYTE
OF_LANDING = "deliver the same files again, or put it back from a backup"
OF_FOREIGN = "find out who put it there, remove the folder and deliver its files with `hims deliver`"
OF_RECORDS = "`hims status` says what to do"
OF_BATCHES = "the next run reads its delivery again"
OF_QUARANTINE = "remove the folder, and the next run judges its delivery again; or put it back from a backup"
OF_SEQUENCE = "the next delivery makes it anew from the audit trail"
OF_TREES = "remove the folder: the next run renders it anew"
OF_POINTERS = "the next run writes it anew from the audit trail"
OF_KEPT = "the next build begins anew"
OF_CONTRACTS = "the next night writes it anew, by contracts that hold"
OF_NIGHTS = "what it told is lost; remove it"
OF_ALERTS = "move it away: what still holds is told once more"
OF_RELEASES = "`hims release use` another one, or put it back from a backup"


@dataclass(frozen=True)
class ScrubPart:
    """What is hashed whole. `check` returns a line for each thing in it that is not what was written."""

    name: str
    size: int
    check: Callable[[], list[str]]


@dataclass(frozen=True)
class Scrubbed:
    """What a scrub came to: `damage` holds a line each, with the place and what to do."""

    damage: tuple[str, ...]
    checked: int
    parts: int
    size: int


def scrub_parts(settings: Settings, log: Log = lambda text: None, budget: int | None = None) -> Scrubbed:
    """Prove all records and hash the parts whose turn it is, holding the installation's lock.

    Args:
        budget: bytes to read; what the policies say without it. One part is read in any case.
    """
    with installation_lock(settings, "scrubbing", wait_seconds=3600, log=log):
        try:
            check_key(settings)
        except HimsError as error:  # without the key that sealed them, no record can be proved
            log(f"DAMAGED {error}")
            return Scrubbed((str(error),), 0, 0, 0)
        damage = _records(settings)
        seen, lost = _read_seen(settings)
        damage += lost
        parts = sorted(_parts(settings), key=lambda part: (seen.get(part.name, ""), part.name))
        total = sum(part.size for part in parts)
        turn = _turn(parts, _allowed_bytes(settings, total) if budget is None else budget)
        log(
            f"scrub: {len(turn)} of {len(parts)} parts, {sum(p.size for p in turn) / 1e6:,.0f} of {total / 1e6:,.0f} MB"
        )
        read = told_bytes = 0
        with ThreadPoolExecutor(settings.threads) as threads:  # whoever hashes lets others run
            for number, (part, lines) in enumerate(zip(turn, threads.map(_check_part, turn), strict=True), start=1):
                damage += lines
                seen[part.name] = datetime.now(UTC).isoformat(timespec="microseconds")
                read += part.size
                if read - told_bytes >= TOLD_EVERY:
                    told_bytes = read
                    log(f"scrub: {number} of {len(turn)} parts, {read / 1e6:,.0f} MB")
        distinct_damage = list(dict.fromkeys(damage))  # a record may be met on two ways
        try:  # what was found is told in any case
            _write_seen(settings, {part.name: seen[part.name] for part in parts if part.name in seen})
            journal.record(settings, "scrubbed", parts=len(turn), of=len(parts), bytes=read, damaged=distinct_damage)
        except (Damaged, OSError) as error:
            distinct_damage.append(f"{explain(error)} The scrub could not be recorded.")
    for line in distinct_damage:
        log(f"DAMAGED {line}")
    log(f"scrub: {len(distinct_damage)} damaged" if distinct_damage else "scrub: all is what was written")
    return Scrubbed(tuple(distinct_damage), len(turn), len(parts), read)


def _allowed_bytes(settings: Settings, total: int) -> int:
    policies = load_observatory(settings.data).policies
    return max(policies.scrub_megabytes_a_night * MEGABYTE, -(-total // policies.scrub_within_nights))


def _turn(parts: list[ScrubPart], budget: int) -> list[ScrubPart]:
    chosen: list[ScrubPart] = []
    for part in parts:
        if chosen and sum(one.size for one in chosen) + part.size > budget:
            break
        chosen.append(part)
    return chosen


def _check_part(part: ScrubPart) -> list[str]:
    try:
        return part.check()
    except OSError as error:
        return [f"{part.name} cannot be read ({error.strerror})"]


def _read_seen(settings: Settings) -> tuple[dict[str, str], list[str]]:
    """Part -> when it was last read; and whether that could be had."""
    path = settings.home / SEEN
    if not path.exists():
        return {}, []
    try:
        return dict(read_sealed(settings, path, "scrub")["seen"]), []
    except Damaged as error:
        return {}, [f"{SEEN} {error.what}; the scrub begins anew"]


def _write_seen(settings: Settings, seen: dict[str, str]) -> None:
    write_sealed(settings, settings.home / SEEN, "scrub", {"seen": seen})


def _records(settings: Settings) -> list[str]:
    """Records that everything hangs on: the audit trail, which release is the current one, and those of each batch."""
    damage = [f"the audit trail: {text}; `hims audit verify` says what to do" for text in trail.check(settings).damage]
    if not damage:  # else it cannot say what they are to be
        damage += [f"releases: {text}; {OF_POINTERS}" for text in _wrong_pointers(settings)]
        damage += _never_received(settings)
    damage += [f"{_place(settings, one.path)} {one.what}; {OF_RECORDS}" for one in landing.damaged_records(settings)]
    for delivery in landing.deliveries(settings):
        if wrong := batches.prove_batch(settings, delivery).damage:
            damage.append(f"{wrong}; {OF_BATCHES}")
        try:
            reports.read_findings(settings, delivery)
        except Damaged as error:
            damage.append(f"{_place(settings, error.path)} {error.what}; {OF_BATCHES}")
    try:
        sequence.last_number(settings)
    except Damaged as error:
        damage.append(f"{_place(settings, error.path)} {error.what}; {OF_SEQUENCE}")
    for root in (settings.validated, settings.quarantine):
        for folder in _folders(root):
            try:
                batches.read_batch_manifest(settings, folder)
                batches.read_verdict(settings, folder)
            except Damaged as error:
                damage.append(f"{_place(settings, error.path)} {error.what}; {OF_BATCHES}")
    return damage + _checked_records(settings)


def _checked_records(settings: Settings) -> list[str]:
    """Of what must be readable without the key: how nights ended, and what people were told."""
    damage = []
    for folder, todo in ((settings.nights, OF_NIGHTS), (settings.alerts, OF_ALERTS)):
        for path in sorted(folder.glob("*.json")):
            try:
                read_checked(path)
            except (OSError, ValueError):
                damage.append(f"{_place(settings, path)} is not what was written; {todo}")
    return damage


def _never_received(settings: Settings) -> list[str]:
    """Deliveries with a record of ours that no line of the audit trail tells of: copied there from elsewhere. A trail
    that lost lines and was renewed cannot say."""
    if any(one["event"] == trail.RENEWED for one in journal.entries(settings)):
        return []
    recorded = {one["batch"] for one in journal.done(settings, journal.RECEIVED, journal.RESEALED)}
    return [
        f"landing/{one.batch}: no line of the audit trail tells that it was received; {OF_FOREIGN}"
        for one in landing.deliveries(settings)
        if one.batch not in recorded
    ]


def _wrong_pointers(settings: Settings) -> list[str]:
    problems = acts.disagreements(settings) + [
        f"{name} was published and is gone" for name in store.find_lost(settings)
    ]
    path = settings.releases / "CURRENT"
    if not problems and path.exists() and path.read_bytes() != f"{store.pointer(settings)}\n".encode():
        problems.append("CURRENT is not as we write it")
    return problems


def _parts(settings: Settings) -> Iterator[ScrubPart]:
    for delivery in landing.deliveries(settings):
        yield ScrubPart(f"landing/{delivery.batch}", delivery.size, partial(_delivery_damage, settings, delivery))
        folder = reports.rejects_folder(settings, delivery)
        if folder.is_dir() or _rejects_damage(settings, delivery):
            yield ScrubPart(_place(settings, folder), _size(folder), partial(_rejects_damage, settings, delivery))
    for root in (settings.validated, settings.quarantine, settings.bronze):
        for folder in _folders(root):
            todo = OF_QUARANTINE if root == settings.quarantine else OF_BATCHES
            yield ScrubPart(_place(settings, folder), _size(folder), partial(_batch_damage, settings, folder, todo))
    for release in store.releases(settings):
        yield ScrubPart(f"releases/{release.id}", _size(release.folder), partial(_release_damage, settings, release))

    for tree in sorted(path for path in settings.rendered.glob("*") if path.is_dir() and path.name[0] != "."):
        yield ScrubPart(f"rendered/{tree.name}", _size(tree), partial(_tree_damage, settings, tree))
    if settings.kept.is_dir():
        yield ScrubPart("kept", _size(settings.kept), partial(_kept_damage, settings))


def _kept_damage(settings: Settings) -> list[str]:
    try:
        last = last_build.read_kept(settings)
    except Damaged as error:
        return [f"{_place(settings, error.path)} {error.what}; {OF_KEPT}"]
    if (damaged := in_force.record_damage(settings)) is not None:
        return [f"{_place(settings, damaged.path)} {damaged.what}; {OF_CONTRACTS}"]
    if last is not None and not _is(last.warehouse, last.sha256):
        return [f"{_place(settings, last.warehouse)} is not what was written; {OF_KEPT}"]
    return []


def _tree_damage(settings: Settings, tree: Path) -> list[str]:
    return [f"rendered/{tree.name}: {one}; {OF_TREES}" for one in render.find_damaged_in(settings, tree)]


def _delivery_damage(settings: Settings, delivery: Delivery) -> list[str]:
    return [
        f"landing/{delivery.batch}: {file}; {OF_LANDING}"
        for file in landing.find_damaged_sent_files(settings, delivery)
    ]


def _rejects_damage(settings: Settings, delivery: Delivery) -> list[str]:
    place = _place(settings, reports.rejects_folder(settings, delivery))
    try:
        damaged = reports.damaged_rejects(settings, delivery)
    except Damaged:
        return []  # the record itself is told among the records
    return [f"{place}/{name} is not what was written; {OF_BATCHES}" for name in damaged]


def _profile_of(settings: Settings, folder: Path) -> dict[str, str]:
    """The batch's profile and its hash, where its verdict was given with one."""
    try:
        verdict = batches.read_verdict(settings, folder)
    except Damaged:
        return {}  # the record itself is told among the records
    return {batches.PROFILE: verdict.profile_sha256} if verdict.profile_sha256 else {}


def _batch_damage(settings: Settings, folder: Path, todo: str) -> list[str]:
    """Files of a batch, and its pairs for the linkage, against its manifest; what is in no manifest is told too."""
    place = _place(settings, folder)
    try:
        manifest, pages = batches.read_batch_manifest(settings, folder), page.hashes_of(settings, folder)
    except Damaged as error:
        return [f"{_place(settings, error.path)} {error.what}; {todo}"]
    listed = pages | (dict(manifest.files) if manifest else {})
    listed |= _profile_of(settings, folder)
    damaged_files = [f"{place}/{name}" for name, sha256 in listed.items() if not _is(folder / name, sha256)]
    if manifest:
        links = settings.links.joinpath(*manifest.batch.split("/"))
        pairs = {links / f"{entity}.parquet": sha256 for entity, sha256 in manifest.links.items()}
        damaged_files += [_place(settings, path) for path, sha256 in pairs.items() if not _is(path, sha256)]
    lines = [f"{name} is not what was written; {todo}" for name in damaged_files]
    present = {path.name for path in folder.iterdir()} if manifest else set()
    added = sorted(present - set(listed) - {batches.MANIFEST, batches.VERDICT, page.RECORD})
    return lines + [f"{place}/{name} was added; find out by whom, and remove it" for name in added]


def _release_damage(settings: Settings, release: store.Release) -> list[str]:
    return [f"releases/{release.id}: {one}; {OF_RELEASES}" for one in store.verify_release(settings, release)]


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*/*/*") if path.is_dir() and path.name[0] != ".")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _place(settings: Settings, path: Path) -> str:
    return str(path.relative_to(settings.home))
