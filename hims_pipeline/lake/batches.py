"""Batches: a delivery once read, and where it stands.

    bronze/<source>/<period>/<id>/                 read, not yet judged
    validated/<source>/<period>/<id>/              accepted: the only place dbt reads
    identified/quarantine/<source>/<period>/<id>/  refused or withdrawn, whole
    identified/links/<source>/<period>/<id>/       pairs of pseudonyms, for the linkage alone

Each folder holds `manifest.json`, `verdict.json` and, an entity, `<entity>.parquet` or, where it is long, its parts
`<entity>-000000.parquet` and so on; only the manifest says which. A batch changes place by one rename. Both records
are sealed, and chained: the verdict holds the hash of the manifest, of each file that was judged and of the delivery. A
folder's place is its state only where its records say the same.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.load import fingerprint
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import Busy, Damaged
from hims_pipeline.lake import journal
from hims_pipeline.lake.decision_trail import acceptances
from hims_pipeline.lake.files import move_folder, private_folder, remove_folder, sha256_of
from hims_pipeline.lake.held_back import read_held_back
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import acts_lock
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings

MANIFEST, VERDICT = "manifest.json", "verdict.json"
PROFILE = "_profile.parquet"  # in counts, for comparing later batches with it; the verdict holds its hash


@dataclass(frozen=True)
class PartFile:
    """A Parquet file of an entity."""

    file: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class EntityFiles:
    """One entity of a batch: its Parquet files in the order of their rows, the file it was read from (`file 1` of the
    delivery, not its name), lines that could not be read and were set aside, and rows that a rule set aside."""

    parts: tuple[PartFile, ...]
    sent_as: str
    rejected: int
    set_aside: int = 0

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def set_aside_share(self) -> float:
        """Of all rows that were sent, those that do not count: unreadable ones and those that a rule set aside."""
        aside = self.rejected + self.set_aside
        return aside / (self.rows + aside) if aside else 0.0

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    def paths(self, folder: Path) -> list[Path]:
        """Its files, where they lie in `folder`."""
        return [folder / part.file for part in self.parts]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "EntityFiles":
        return cls(**{**value, "parts": tuple(PartFile(**part) for part in value["parts"])})


@dataclass(frozen=True)
class Manifest:
    """What a batch is and what it was made from; `links`: entity -> SHA-256 of its pairs for the linkage."""

    source: str
    period: str
    id: str
    delivery_sha256: str
    delivered_bytes: int
    contract_sha256: str
    reader_sha256: str
    layout: str
    data_kind: str
    key_version: str
    entities: dict[str, EntityFiles]
    links: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, str]:
        """Name -> SHA-256 of every Parquet file of its entities."""
        return {part.file: part.sha256 for entity in self.entities.values() for part in entity.parts}

    @cached_property
    def sha256(self) -> str:
        """Hash of what it says; its seal, which another key replaces, is no part of it."""
        return fingerprint(asdict(self))

    @property
    def batch(self) -> str:
        return f"{self.source}/{self.period}/{self.id}"

    @property
    def rows(self) -> int:
        return sum(entity.rows for entity in self.entities.values())


@dataclass(frozen=True)
class Batch:
    """A delivery that was read and judged, at the place where it stands."""

    folder: Path
    manifest: Manifest
    verdict: Verdict

    def parquet(self, entity: str) -> list[Path]:
        """The Parquet files of an entity, in the order of their rows."""
        return self.manifest.entities[entity].paths(self.folder)


def folder_of(root: Path, delivery: Delivery) -> Path:
    """The folder of a delivery's batch under one of the layers' roots."""
    return root / delivery.source / delivery.period / delivery.id


def settled_folder(settings: Settings, delivery: Delivery) -> Path:
    """Where the judged batch of a delivery lies: among the accepted ones, or in quarantine."""
    here = folder_of(settings.validated, delivery)
    return here if here.exists() else folder_of(settings.quarantine, delivery)


def links_folder(settings: Settings, delivery: Delivery) -> Path:
    """Where the pairs for the linkage of a delivery lie, inside the identified zone."""
    return folder_of(settings.links, delivery)


def write_manifest(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Write and seal the manifest of a batch."""
    write_sealed(settings, folder / MANIFEST, "manifest", asdict(manifest))


def read_batch_manifest(settings: Settings, folder: Path) -> Manifest | None:
    """The manifest of a folder, None where the delivery could not be read.

    Raises:
        Damaged: it is not what was written.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    value: dict[str, Any] = read_sealed(settings, path, "manifest")
    try:
        return Manifest(**{**value, "entities": {k: EntityFiles.from_json(v) for k, v in value["entities"].items()}})
    except (TypeError, KeyError, AttributeError) as error:
        raise Damaged(path, f"does not hold what a manifest of this version holds ({type(error).__name__})") from None


def read_verdict(settings: Settings, folder: Path) -> Verdict:
    """The verdict in a folder.

    Raises:
        Damaged: there is none, or it is not what was written.
    """
    path = folder / VERDICT
    value = read_sealed(settings, path, "verdict")
    try:
        return Verdict.from_json(value)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise Damaged(path, f"does not hold what a verdict of this version holds ({type(error).__name__})") from None


def place_batch(settings: Settings, delivery: Delivery, folder: Path, verdict: Verdict) -> Path:
    """Write the verdict and move the batch to where it belongs, replacing what stood there for the same delivery.

    The caller holds the installation's lock. Killed between the two renames, the delivery is pending again.
    """
    write_sealed(settings, folder / VERDICT, "verdict", verdict.as_json())
    places = (settings.validated, settings.quarantine)
    target, other = places if verdict.accepted else reversed(places)
    private_folder(settings.quarantine)
    for root in (other, target):
        if folder_of(root, delivery) != folder:
            remove_folder(folder_of(root, delivery))
    if folder_of(target, delivery) != folder:
        move_folder(folder, folder_of(target, delivery))
    return folder_of(target, delivery)


def set_aside(settings: Settings, delivery: Delivery) -> None:
    """Take a withdrawn delivery's batch out of what counts."""
    standing = folder_of(settings.validated, delivery)
    if standing.exists():
        remove_folder(folder_of(settings.quarantine, delivery))
        private_folder(settings.quarantine)
        move_folder(standing, folder_of(settings.quarantine, delivery))


@dataclass(frozen=True)
class ProvenBatch:
    """What can be believed of a delivery's batch.

    Args:
        verdict: the last one on this delivery whose seal and chain hold.
        batch: the accepted batch; its files are not hashed for this, see `find_damaged_files`.
        damage: which record is not what we wrote, or does not stand where it belongs; `""` where all is well.
        holds_place: an accepted batch stood there, so an earlier delivery does not count in its stead.
    """

    verdict: Verdict | None = None
    batch: Batch | None = None
    damage: str = ""
    holds_place: bool = False


def prove_batch(settings: Settings, delivery: Delivery) -> ProvenBatch:
    """Prove the records of a delivery's batch, wherever it stands. A bad record is told here and never raised.

    Damage is told once it was seen while nobody moved anything: a batch on its way to its place looks like it.
    """
    proven = _prove_once(settings, delivery)
    if proven.damage:
        with suppress(Busy, Damaged, OSError), acts_lock(settings, f"looking again at {delivery.batch}"):
            return _prove_once(settings, delivery)
    return proven


def _prove_once(settings: Settings, delivery: Delivery) -> ProvenBatch:
    for root in (settings.validated, settings.quarantine):
        folder = folder_of(root, delivery)
        if not folder.exists():
            continue
        place = folder.relative_to(settings.home)
        in_validated = root == settings.validated
        try:
            verdict = read_verdict(settings, folder)
            if (verdict.batch, verdict.inputs.get("delivery")) != (delivery.batch, delivery.sha256):
                return ProvenBatch(damage=f"{place} holds the verdict on another delivery", holds_place=in_validated)
            if not verdict.accepted:
                moved = f"{place} was refused, and was moved there" if in_validated else ""
                return ProvenBatch(verdict, damage=moved)
            batch = _read_chained(folder, read_batch_manifest(settings, folder), verdict)
            if verdict.is_overruled and acceptances(settings).get(delivery.batch) != verdict.acceptance:
                return ProvenBatch(verdict)  # the audit trail has another last word: it counts no longer
        except Damaged as error:
            return ProvenBatch(damage=f"{error.path.relative_to(settings.home)} {error.what}", holds_place=in_validated)
        return ProvenBatch(verdict, batch if in_validated else None, holds_place=in_validated)
    return ProvenBatch()


def find_judged_batch(settings: Settings, delivery: Delivery) -> Batch | None:
    """The batch of a delivery as the gate judged it, accepted or not, wherever it stands; its records and its files are
    those that were written. None where it never came to the gate, or something is not as it was."""
    for root in (settings.validated, settings.quarantine):
        folder = folder_of(root, delivery)
        if not folder.exists():
            continue
        try:
            verdict = read_verdict(settings, folder)
            if verdict.stage != "gate" or verdict.inputs.get("delivery") != delivery.sha256:
                return None
            batch = _read_chained(folder, read_batch_manifest(settings, folder), verdict)
        except Damaged:
            return None
        return batch if batch.manifest.batch == delivery.batch and not find_damaged_files(batch) else None
    return None


def _read_chained(folder: Path, manifest: Manifest | None, verdict: Verdict) -> Batch:
    if manifest is None:
        raise Damaged(folder / MANIFEST, "is missing")
    if manifest.sha256 != verdict.manifest_sha256 or manifest.files != verdict.files:
        raise Damaged(folder / VERDICT, "was given on other files than those in the manifest beside it")
    if (manifest.batch, manifest.delivery_sha256) != (verdict.batch, verdict.inputs["delivery"]):
        raise Damaged(folder / MANIFEST, "is that of another delivery")
    return Batch(folder, manifest, verdict)


def find_accepted_batch(settings: Settings, delivery: Delivery) -> Batch | None:
    """The batch of a delivery where it counts as accepted and was not withdrawn; else None."""
    return None if delivery.withdrawn else prove_batch(settings, delivery).batch


def find_current_batches(settings: Settings, contract: Contract, sent: Iterable[Delivery]) -> list[Batch]:
    """The batches of one source that count, by period, then arrival: accepted, whole, not withdrawn, held back or
    superseded.

    Arrival is the deliveries' sequence. No clock is asked, and the label of a period only where editions supersede.
    Where each delivery supersedes all earlier ones, these are void even while the last is refused. One that is damaged,
    or whose delivery's record is, still supersedes what came before it: a period is rather without figures than with
    those that were replaced.

    Args:
        sent: all deliveries of the source; those of others are left out.
    """
    ordered = sorted((d for d in sent if d.source == contract.source), key=lambda d: (d.period, d.sequence))
    out = read_held_back(settings)
    proven = [
        (d.period, float(d.sequence), prove_batch(settings, d)) for d in ordered if not (d.withdrawn or d.batch in out)
    ]
    if contract.period.supersedes == "earlier_deliveries":
        places = [(period, rank, one.batch) for period, rank, one in proven]
    else:
        places = [(period, rank, one.batch) for period, rank, one in proven if one.holds_place]
    places += [(folder.parent.name, rank, None) for folder, rank in _find_lost(settings, contract.source, ordered)]
    return [batch for batch in _last_of_each_place(contract.period.supersedes, places) if batch is not None]


def _last_of_each_place(supersedes: str, places: list[tuple[str, float, Batch | None]]) -> list[Batch | None]:
    """What stands in the places that are not superseded, by period and rank of arrival."""
    ordered = sorted(places, key=lambda place: place[:2])
    if supersedes == "nothing":
        return [batch for _, _, batch in ordered]
    if supersedes == "earlier_deliveries":
        return [max(places, key=lambda place: place[1])[2]] if places else []
    latest = {period: batch for period, _, batch in ordered}  # the last of a period stays
    if supersedes == "earlier_editions":
        return [latest[max(latest)]] if latest else []
    return list(latest.values())


def _find_lost(settings: Settings, source: str, sent: list[Delivery]) -> list[tuple[Path, float]]:
    """Accepted batches whose delivery has no readable record, and where they stand among the others: behind those that
    the audit trail tells of before them, and last where it tells nothing."""
    if not (gone := find_without_delivery(settings, source, sent)):
        return []
    gone = [folder for folder in gone if was_ours(settings, folder)]
    arrived = {one["batch"]: one["number"] for one in journal.done(settings, journal.RECEIVED)}
    paths = []
    for folder in gone:
        number = arrived.get(folder.relative_to(settings.validated).as_posix())
        before = [d.sequence for d in sent if number is not None and arrived.get(d.batch, number) < number]
        paths.append((folder, max(before, default=0) + 0.5 if number is not None else float("inf")))
    return paths


def find_without_delivery(settings: Settings, source: str, sent: Iterable[Delivery]) -> list[Path]:
    """Accepted batches of a source whose delivery has no readable record in landing."""
    known = {folder_of(settings.validated, delivery) for delivery in sent}
    standing_there = sorted((settings.validated / source).glob("*/*"))
    return [one for one in standing_there if one.is_dir() and one.name[0] != "." and one not in known]


def was_ours(settings: Settings, folder: Path) -> bool:
    """Was this folder among the accepted batches ever the batch of its place? What was copied or made there by hand is
    neither told of by the audit trail nor by a verdict of its own, and holds nobody's place."""
    batch = folder.relative_to(settings.validated).as_posix()
    if any(one["batch"] == batch for one in journal.done(settings, journal.RECEIVED, journal.JUDGED)):
        return True
    try:
        return read_verdict(settings, folder).batch == batch
    except Damaged:
        return False


def find_damaged_files(batch: Batch) -> list[str]:
    """Names of files whose bytes are not those of the manifest: Parquet often reads back wrong without an error."""
    return [name for name, sha256 in batch.manifest.files.items() if not _is(batch.folder / name, sha256)]


def find_damaged_links(settings: Settings, contract: Contract, batch: Batch) -> list[str]:
    """Entities of a batch whose pairs for the linkage are missing, or are not those that were written."""
    manifest = batch.manifest
    folder = settings.links.joinpath(*manifest.batch.split("/"))
    named = [
        name
        for name in manifest.entities
        if any(column.links for column in contract.entity_in(name, manifest.period).columns)
    ]
    return [name for name in named if not _is(folder / f"{name}.parquet", manifest.links.get(name, ""))]


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256
