"""Batches: a delivery once read, and where it stands.

    bronze/<source>/<period>/<id>/                 read, not yet judged
    validated/<source>/<period>/<id>/              accepted: the only place dbt reads
    identified/quarantine/<source>/<period>/<id>/  refused or withdrawn, whole
    identified/links/<source>/<period>/<id>/       pairs of pseudonyms, for the linkage alone

Each folder holds `<entity>.parquet`, `manifest.json` and `verdict.json`; a batch changes place by one rename.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.files import move_folder, private_folder, read_json, remove_folder, sha256_of, write_json
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings

MANIFEST, VERDICT = "manifest.json", "verdict.json"


@dataclass(frozen=True)
class EntityFile:
    """One entity of a batch: its Parquet file, the file it was read from (`file 1` of the delivery, not its name), rows
    read and lines set aside."""

    file: str
    sent_as: str
    rows: int
    rejected: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a batch is and what it was made from."""

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
    entities: dict[str, EntityFile]

    @property
    def batch(self) -> str:
        return f"{self.source}/{self.period}/{self.id}"

    @property
    def rows(self) -> int:
        return sum(entity.rows for entity in self.entities.values())


@dataclass(frozen=True)
class Batch:
    folder: Path
    manifest: Manifest
    verdict: Verdict

    def parquet(self, entity: str) -> Path:
        return self.folder / self.manifest.entities[entity].file


def folder_of(root: Path, delivery: Delivery) -> Path:
    return root / delivery.source / delivery.period / delivery.id


def links_folder(settings: Settings, delivery: Delivery) -> Path:
    return folder_of(settings.links, delivery)


def missing_links(settings: Settings, contract: Contract, batch: Batch) -> list[str]:
    """Entities of a batch whose pairs for the linkage are not there."""
    folder = settings.links.joinpath(*batch.manifest.batch.split("/"))
    return [
        name
        for name in batch.manifest.entities
        if any(column.links for column in contract.entity_in(name, batch.manifest.period).columns)
        and not (folder / f"{name}.parquet").exists()
    ]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    write_json(folder / MANIFEST, asdict(manifest))


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where the delivery could not be read."""
    if not (folder / MANIFEST).exists():
        return None
    value: dict[str, Any] = read_json(folder / MANIFEST)
    return Manifest(**{**value, "entities": {k: EntityFile(**v) for k, v in value["entities"].items()}})


def read_verdict(settings: Settings, delivery: Delivery) -> Verdict | None:
    """The last verdict on a delivery, wherever its batch stands; None where it was never judged."""
    for root in (settings.validated, settings.quarantine):
        path = folder_of(root, delivery) / VERDICT
        if path.exists():
            return Verdict.from_json(read_json(path))
    return None


def settle(settings: Settings, delivery: Delivery, folder: Path, verdict: Verdict) -> Path:
    """Write the verdict and move the batch to where it belongs, replacing what stood there for the same delivery.

    The caller holds the installation's lock. Killed between the two renames, the delivery is pending again.
    """
    write_json(folder / VERDICT, verdict.as_json())
    accepted = verdict.status == "accepted"
    target, other = (settings.validated, settings.quarantine) if accepted else (settings.quarantine, settings.validated)
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


def accepted_batch(settings: Settings, delivery: Delivery) -> Batch | None:
    folder = folder_of(settings.validated, delivery)
    manifest, verdict = read_manifest(folder), read_verdict(settings, delivery)
    if manifest is None or verdict is None or verdict.status != "accepted" or delivery.withdrawn:
        return None
    return Batch(folder, manifest, verdict)


def counting(settings: Settings, contract: Contract, sent: Iterable[Delivery]) -> list[Batch]:
    """The batches of one source that count: accepted, not withdrawn, not superseded. By period, then arrival."""
    ordered = sorted((d for d in sent if d.source == contract.source), key=lambda d: (d.period, d.sequence))
    accepted = [batch for delivery in ordered if (batch := accepted_batch(settings, delivery)) is not None]
    if contract.period.supersedes == "nothing":
        return accepted
    latest = {batch.manifest.period: batch for batch in accepted}  # the last of a period stays
    if contract.period.supersedes == "earlier_editions":
        return [latest[max(latest)]] if latest else []
    return list(latest.values())


def damaged_files(batch: Batch) -> list[str]:
    """Names of files whose bytes are not those of the manifest: Parquet often reads back wrong without an error."""
    return [
        entity.file
        for entity in batch.manifest.entities.values()
        if not (batch.folder / entity.file).exists() or sha256_of(batch.folder / entity.file) != entity.sha256
    ]
