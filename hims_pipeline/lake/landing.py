"""The landing zone: files as they were sent, and which delivery they make up.

    landing/<source>/<period>/file …          dropped by others, not yet taken over
    landing/<source>/<period>/<id>/file …     one delivery, taken over, never changed again; `delivery.json` beside it

The id is the start of a SHA-256 over the contents (and the entity that takes each file), so the same bytes again are
the same delivery.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.model import Contract, matches
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import journal
from hims_pipeline.lake.files import private_folder, read_json, sha256_of, sync, write_json
from hims_pipeline.lake.periods import SPELLING, is_period
from hims_pipeline.settings import Settings

ID_LENGTH = 12
RECORD = "delivery.json"
ARCHIVES = (".zip", ".gz")


@dataclass(frozen=True)
class DeliveredFile:
    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Delivery:
    """What one sender sent for one period. `sequence` orders the deliveries of a period; `withdrawn` says why it no
    longer counts, `""` while it does."""

    source: str
    period: str
    id: str
    sha256: str
    sequence: int
    received_at: str
    files: tuple[DeliveredFile, ...]
    withdrawn: str = ""

    @property
    def batch(self) -> str:
        return f"{self.source}/{self.period}/{self.id}"

    def folder(self, settings: Settings) -> Path:
        return settings.landing / self.source / self.period / self.id

    def paths(self, settings: Settings) -> list[Path]:
        return [self.folder(settings) / file.name for file in self.files]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Misplaced:
    """Something in landing that makes no delivery, and what to do about it."""

    place: str
    reason: str


def _load(record: Path) -> Delivery:
    value: dict[str, Any] = read_json(record)
    return Delivery(**{**value, "files": tuple(DeliveredFile(**file) for file in value["files"])})


def deliveries(settings: Settings, source: str | None = None) -> list[Delivery]:
    """All deliveries taken over, by source, period and order of arrival."""
    found = [
        _load(record)
        for record in settings.landing.glob(f"{source or '*'}/*/*/{RECORD}")
        if record.parent.name[0] != "."
    ]
    return sorted(found, key=lambda one: (one.source, one.period, one.sequence))


def damaged_files(settings: Settings, delivery: Delivery) -> list[str]:
    """Names of files in landing whose bytes are not those of the delivery's record."""
    return [
        file.name
        for file, path in zip(delivery.files, delivery.paths(settings), strict=True)
        if not path.is_file() or path.stat().st_size != file.size or sha256_of(path) != file.sha256
    ]


def find(settings: Settings, batch: str) -> Delivery:
    """The delivery that a batch id, or an unambiguous start of one, names.

    Raises:
        HimsError: there is none, or more than one.
    """
    matches = [one for one in deliveries(settings) if one.batch.startswith(batch)]
    if len(matches) != 1:
        known = ", ".join(one.batch for one in matches[:5]) or "`hims status` lists them"
        raise HimsError(f"{len(matches)} batches are called {batch!r}: {known}.")
    return matches[0]


def _identity(contract: Contract, period: str, files: Iterable[DeliveredFile]) -> str:
    lines = []
    for file in files:
        takers = contract.takers(inner_name(file.name), period)
        lines.append(f"{takers[0] if takers else '?'} {file.sha256}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def inner_name(name: str) -> str:
    """The name that decides on the entity: `people.csv` for `people.csv.gz`."""
    return name[:-3] if name.lower().endswith(".gz") else name


def take_over(settings: Settings, contract: Contract, period: str, files: Sequence[Path]) -> tuple[Delivery, bool]:
    """Copy files into landing as one delivery; returns it and whether it is new.

    A kill at any moment leaves either no delivery or a whole one.

    Raises:
        HimsError: the period is not spelt as the contract says, or a file is missing or named twice.
    """
    if not is_period(contract, period):
        raise HimsError(f"{contract.source}: period {period!r} must be {SPELLING[contract.period.pattern]}.")
    if len({path.name for path in files}) != len(files):
        raise HimsError(f"{contract.source}/{period}: two files of one delivery have the same name.")
    for path in files:
        if not path.is_file():
            raise HimsError(f"{path} is not a file.")
    private_folder(settings.identified)
    place = private_folder(settings.landing) / contract.source / period
    staging = place / f".incoming-{os.getpid()}-{time.monotonic_ns()}"
    staging.mkdir(parents=True)
    try:
        for path in files:
            shutil.copyfile(path, staging / path.name)
            sync(staging / path.name)
        sent = tuple(DeliveredFile(p.name, p.stat().st_size, sha256_of(staging / p.name)) for p in sorted(files))
        identity = _identity(contract, period, sent)
        known = [one for one in deliveries(settings, contract.source) if one.period == period]
        for one in known:
            if one.sha256 == identity:
                return one, False
        delivery = Delivery(
            source=contract.source,
            period=period,
            id=identity[:ID_LENGTH],
            sha256=identity,
            sequence=max((one.sequence for one in known), default=0) + 1,
            received_at=datetime.now(UTC).isoformat(timespec="seconds"),
            files=sent,
        )
        write_json(staging / RECORD, asdict(delivery), mode=0o600)
        sync(staging)
        facts = {"batch": delivery.batch, "files": len(sent), "bytes": delivery.size, "delivery_sha256": identity}
        with journal.act(settings, journal.RECEIVED, **facts):
            staging.rename(delivery.folder(settings))
            sync(place)
        return delivery, True
    finally:
        if staging.exists():
            shutil.rmtree(staging)


def clear_leftovers(settings: Settings) -> int:
    """Remove what a killed take-over left; returns how many folders. Call it with the installation's lock held."""
    left = [path for path in settings.landing.glob("*/*/.*") if path.is_dir()]
    for folder in left:
        shutil.rmtree(folder)
    return len(left)


def collect(
    settings: Settings, contracts: dict[str, Contract], settle_seconds: float, now: float | None = None
) -> tuple[list[Delivery], list[Delivery], list[Misplaced]]:
    """Take over what others dropped: (new deliveries, deliveries known already, what makes no delivery and why).

    All loose files of a period are one delivery. It waits while a file is younger than `settle_seconds` (it may still
    be growing) and while a required entity is missing.
    """
    now = time.time() if now is None else now
    new: list[Delivery] = []
    again: list[Delivery] = []
    misplaced: list[Misplaced] = []
    for folder in sorted(path for path in settings.landing.glob("*") if path.is_dir()):
        contract = contracts.get(folder.name)
        loose_here = [path for path in folder.iterdir() if path.is_file()]
        if contract is None:
            misplaced.append(
                Misplaced(folder.name, f"no contract data/contracts/{folder.name}.yml; write one or move the files")
            )
            continue
        misplaced += [Misplaced(f"{folder.name}/{p.name}", "put it into the folder of its period") for p in loose_here]
        for place in sorted(path for path in folder.iterdir() if path.is_dir()):
            files = sorted(path for path in place.iterdir() if path.is_file() and path.name[0] != ".")
            if not files:
                continue
            if (reason := _not_yet(contract, place.name, files, now, settle_seconds)) is not None:
                misplaced.append(Misplaced(f"{folder.name}/{place.name}", reason))
                continue
            delivery, is_new = take_over(settings, contract, place.name, files)
            for path in files:
                path.unlink()
            (new if is_new else again).append(delivery)
    return new, again, misplaced


def _not_yet(contract: Contract, period: str, files: list[Path], now: float, settle_seconds: float) -> str | None:
    if not is_period(contract, period):
        return f"the folder's name must be {SPELLING[contract.period.pattern]}"
    if any(now - path.stat().st_mtime < settle_seconds for path in files):
        return f"a file changed less than {settle_seconds:g} seconds ago; it is taken in once it rests"
    if any(path.name.lower().endswith(".zip") for path in files):
        return None  # an archive is opened by its reader; what it lacks is found there
    names = [inner_name(path.name) for path in files]
    taken = {entity for name in names for entity in contract.takers(name, period)}
    needed = [entity for entity in contract.entities if contract.entity_in(entity, period).required]
    waiting = [entity for entity in needed if entity not in taken]
    globs = dict.fromkeys(glob for entity in taken if (glob := contract.format_in(entity, period).companion))
    waiting += [glob for glob in globs if not any(matches(name, glob) for name in names)]
    if waiting and (taken or any(contract.is_companion(name, period) for name in names)):
        return f"waiting for {', '.join(waiting)} to complete the delivery"
    return None


def set_withdrawn(settings: Settings, delivery: Delivery, reason: str) -> Delivery:
    """Note that a delivery was the wrong file or period (or, with an empty reason, that it counts again)."""
    changed = replace(delivery, withdrawn=reason)
    write_json(delivery.folder(settings) / RECORD, asdict(changed), mode=0o600)
    return changed
