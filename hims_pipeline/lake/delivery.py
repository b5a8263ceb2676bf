"""Deliveries taken over, by their sealed records: which there are, which records are damaged, and changing one.

    landing/<source>/<period>/<id>/delivery.json    beside the files of the delivery

A record that cannot be believed stops its own delivery: `damaged_records` tells it, and the others are read as ever.
Not here: how a delivery comes to be (`landing`), and what came of it (`batches`).
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake.arrival import RECORD
from hims_pipeline.lake.files import folders_in, sha256_of
from hims_pipeline.lake.lock import acts_lock
from hims_pipeline.lake.seal import SEAL, read_sealed, write_sealed
from hims_pipeline.plain_file import read_json
from hims_pipeline.settings import Settings

ID_LENGTH = 12
KIND = "delivery"
ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_SOURCE, _PERIOD = re.compile(r"[a-z][a-z0-9_]*"), re.compile(r"[0-9][0-9A-Z_-]{0,19}")  # names that may be shown
_RECORD_BYTES = 1 << 22  # a hundred long names stay far below


@dataclass(frozen=True)
class DeliveredFile:
    """One file as it was sent; `origin`: the stamp of the dropped file that it was copied from."""

    name: str
    size: int
    sha256: str
    origin: str = ""


@dataclass(frozen=True)
class Delivery:
    """What one sender sent for one period.

    Args:
        sequence: orders all deliveries of an installation; the same bytes sent again get a higher one.
        received_at: for people; nothing is ordered by it.
        withdrawn: why it no longer counts, `""` while it does.
        sent_again: when the same bytes came again after others.
    """

    source: str
    period: str
    id: str
    sha256: str
    sequence: int
    received_at: str
    files: tuple[DeliveredFile, ...]
    withdrawn: str = ""
    sent_again: tuple[str, ...] = ()

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


def write_record(settings: Settings, delivery: Delivery, folder: Path) -> None:
    """Write and seal the record of a delivery."""
    write_sealed(settings, folder / RECORD, KIND, asdict(delivery), mode=0o600)


def deliveries(settings: Settings, source: str | None = None) -> list[Delivery]:
    """All deliveries whose records hold, by source, period and order of arrival."""
    return _records(settings, source)[0]


def damaged_records(settings: Settings, source: str | None = None) -> list[Damaged]:
    """Records of deliveries that are not what we wrote, and folders of landing that cannot be looked into."""
    return _records(settings, source)[1]


def _records(settings: Settings, source: str | None) -> tuple[list[Delivery], list[Damaged]]:
    readable: list[Delivery] = []
    damaged: list[Damaged] = []
    for folder in _folders(settings, source, damaged):
        try:
            readable.append(read_record(settings, folder))
        except Damaged as error:
            if _PERIOD.fullmatch(folder.parent.name):  # another name is not shown, and `survey` tells its place
                damaged.append(error)
    return sorted(readable, key=lambda one: (one.source, one.period, one.sequence, one.id)), damaged


def _folders(settings: Settings, source: str | None, damaged: list[Damaged]) -> Iterator[Path]:
    """Folders that are called as deliveries are."""
    for sender in _list_inside(settings.landing, damaged):
        if source not in (None, sender.name) or not _SOURCE.fullmatch(sender.name):
            continue
        for period in _list_inside(sender, damaged):
            told_damage = damaged if _PERIOD.fullmatch(period.name) else []
            yield from (one for one in _list_inside(period, told_damage) if ID.fullmatch(one.name))


def _list_inside(folder: Path, damaged: list[Damaged]) -> list[Path]:
    try:
        return folders_in(folder)
    except OSError as error:
        damaged.append(Damaged(folder, f"cannot be looked into ({error.strerror})"))
        return []


def read_record(settings: Settings, folder: Path) -> Delivery:
    """The record in a delivery's folder.

    Raises:
        Damaged: it is missing, is not what we wrote, or belongs elsewhere.
    """
    path = _small_file(folder / RECORD)
    return _parse(path, read_sealed(settings, path, KIND))


def _small_file(path: Path) -> Path:
    """The path, once it is known that reading it comes to an end."""
    try:
        state = path.lstat()
    except OSError as error:
        raise Damaged(path, f"cannot be read ({error.strerror})") from None
    if not stat.S_ISREG(state.st_mode) or state.st_size > _RECORD_BYTES:
        raise Damaged(path, "is no record: it is not a small file")
    return path


def _parse(path: Path, value: dict[str, Any]) -> Delivery:
    try:
        files = tuple(DeliveredFile(**file) for file in value["files"])
        delivery = Delivery(**{**value, "files": files, "sent_again": tuple(value.get("sent_again", ()))})
        here = delivery.batch.split("/") == list(path.parent.parts[-3:])
        plain = all("/" not in file.name and file.name not in ("", ".", "..") for file in files)
    except (TypeError, KeyError, AttributeError):
        raise Damaged(path, "does not hold what a record of this version holds") from None
    if not here or not plain or not isinstance(delivery.sequence, int) or delivery.id != delivery.sha256[:ID_LENGTH]:
        raise Damaged(path, "is the record of another delivery")
    return delivery


def find_delivery(settings: Settings, batch: str) -> Delivery:
    """The delivery that a batch id, or an unambiguous start of one, names.

    Raises:
        Damaged: its record is not what we wrote.
        HimsError: there is none, or more than one.
    """
    known, damaged = _records(settings, None)
    matches = [one for one in known if one.batch.startswith(batch)]
    if len(matches) == 1:
        return matches[0]
    for one in damaged:
        if not matches and batch_of(one).startswith(batch):
            raise one
    names = ", ".join(one.batch for one in matches[:5]) or "`hims status` lists them"
    raise HimsError(f"{len(matches)} batches are called {batch!r}: {names}.")


def batch_of(damaged: Damaged) -> str:
    """`<source>/<period>/<id>` of a damaged record; of a folder that cannot be looked into, its place in landing."""
    parts = damaged.path.parts
    return "/".join(parts[-4:-1] if parts[-1] == RECORD else parts[len(parts) - parts[::-1].index("landing") :])


def find_damaged_sent_files(settings: Settings, delivery: Delivery) -> list[str]:
    """What is wrong with the files of a delivery, by their positions: empty where all are those that were recorded."""
    damaged_files = []
    for position, (file, path) in enumerate(zip(delivery.files, delivery.paths(settings), strict=True), start=1):
        try:
            state = path.lstat()
            if not stat.S_ISREG(state.st_mode) or state.st_size != file.size or sha256_of(path) != file.sha256:
                damaged_files.append(f"file {position} is not the one that was taken over")
        except OSError as error:
            damaged_files.append(f"file {position} cannot be read ({error.strerror})")
    return damaged_files


def set_withdrawn(settings: Settings, delivery: Delivery, reason: str) -> Delivery:
    """Note that a delivery was the wrong file or period (or, with an empty reason, that it counts again)."""
    with acts_lock(settings, f"noting on {delivery.batch}"):  # read again: it may have been sent again meanwhile
        changed = replace(read_record(settings, delivery.folder(settings)), withdrawn=reason)
        write_record(settings, changed, delivery.folder(settings))
    return changed


def reseal_delivery(settings: Settings, batch: str) -> Delivery:
    """Seal a record anew for which a person vouches: after a change of key, or from before records were sealed.

    Raises:
        HimsError: it cannot be read at all, or a file of the delivery is not the one that it names.
    """
    parts = batch.split("/")
    if len(parts) != 3 or not (_SOURCE.fullmatch(parts[0]) and ID.fullmatch(parts[2])) or parts[1] in ("", ".", ".."):
        raise HimsError(f"{batch!r} is no delivery's name, which is <source>/<period>/<id>.")
    folder = settings.landing.joinpath(*parts)
    try:
        delivery = _read_unproved(folder)
        damaged = find_damaged_sent_files(settings, delivery)  # hashing takes its time, so not under the lock
        with acts_lock(settings, f"sealing {batch} anew"):
            if not damaged and _read_unproved(folder) == delivery:
                write_record(settings, delivery, folder)
                return delivery
    except (OSError, ValueError, AttributeError, TypeError, RecursionError, Damaged):
        damaged = ["its record cannot be read"]
    what = "; ".join(damaged) or "its record has just changed"
    raise HimsError(f"{batch}: {what}. Put it back from a backup, or deliver its files again.")


def _read_unproved(folder: Path) -> Delivery:
    """What a record says, whoever wrote it."""
    value = read_json(_small_file(folder / RECORD))
    value.pop(SEAL, None)
    return _parse(folder / RECORD, value)
