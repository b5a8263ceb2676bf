"""The landing zone: files as they were sent, and how they become a delivery.

    landing/<source>/<period>/file …          dropped by others, not yet taken over
    landing/<source>/<period>/<id>/file …     one delivery, taken over, never changed again; `delivery.json` beside it

The id is the start of a SHA-256 over the contents (and the entity that takes each file), so the same bytes again are
the same delivery. Not here: which dropped files make one up (`drops`), its record (`delivery`).
"""

import hashlib
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from hims_pipeline.contracts.formats import FormatLimits
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import journal
from hims_pipeline.lake.arrival import (
    RECORD,
    Copied,
    Unfit,
    Unsound,
    Untaken,
    copy_file,
    same_names,
    trouble_of_name,
    trouble_of_size,
)
from hims_pipeline.lake.delivery import (
    ID_LENGTH,
    DeliveredFile,
    Delivery,
    batch_of,
    damaged_records,
    deliveries,
    find_damaged_sent_files,
    find_delivery,
    read_record,
    reseal_delivery,
    set_withdrawn,
    write_record,
)
from hims_pipeline.lake.files import private_folder, sync
from hims_pipeline.lake.incoming import clear_incoming, incoming_folder
from hims_pipeline.lake.lock import acts_lock
from hims_pipeline.lake.periods import check_period
from hims_pipeline.lake.sequence import next_number
from hims_pipeline.settings import Settings

__all__ = [
    "RECORD",
    "DeliveredFile",
    "Delivery",
    "Manner",
    "Taken",
    "batch_of",
    "clear_incoming",
    "damaged_records",
    "deliveries",
    "find_damaged_sent_files",
    "find_delivery",
    "inner_name",
    "reseal_delivery",
    "set_withdrawn",
    "take_over",
    "take_over_files",
]  # fmt: skip
MOST_FILES = 100
MARGIN_BYTES = 200_000_000  # left free on the disk for what is made of a delivery
# `sent`: a person or sender sends it now. `dropped`: the same, and the files are deleted then. `made`: by ourselves.
# `listed`: named by a list that every run goes through, so the same bytes again are no new word on anything.
Manner = Literal["sent", "dropped", "made", "listed"]


@dataclass(frozen=True)
class Taken:
    """What taking files over came to.

    Args:
        is_new: its bytes were not delivered for this period before.
        is_last_word: known bytes that were sent again, after others, and so count from now on.
        copied: the files as they were copied, in the order of their names.
    """

    delivery: Delivery
    is_new: bool
    is_last_word: bool
    copied: tuple[Copied, ...]


def inner_name(name: str) -> str:
    """The name that decides on the entity: `people.csv` for `people.csv.gz`."""
    return name[:-3] if name.lower().endswith(".gz") else name


def take_over(
    settings: Settings, contract: Contract, period: str, files: Sequence[Path], manner: Manner = "sent"
) -> tuple[Delivery, bool]:
    """Copy files into landing as one delivery; returns it and whether it is new. See `take_over_files`."""
    taken = take_over_files(settings, contract, period, files, manner)
    return taken.delivery, taken.is_new


def take_over_files(
    settings: Settings,
    contract: Contract,
    period: str,
    files: Sequence[Path],
    manner: Manner = "sent",
    today: date | None = None,
) -> Taken:
    """Copy files into landing as one delivery.

    A kill at any moment leaves either no delivery or a whole one.

    Args:
        today: of the check that the period has begun; the observatory's own day without it.

    Raises:
        Unfit: one file is no plain file, is too large, cannot keep its name, or changed while it was copied.
        Damaged: the delivery is known, and its record is not what we wrote.
        Untaken: the disk cannot take the files.
        HimsError: the period is not spelt as the contract says or lies ahead.
    """
    check_period(settings, contract, period, today)
    batch, ordered = f"{contract.source}/{period}", sorted(files, key=lambda path: path.name)
    try:
        private_folder(settings.identified)
        place = private_folder(settings.landing) / contract.source / period
        _check(batch, contract.limits, ordered, shutil.disk_usage(settings.landing).free)
        with incoming_folder(settings, place) as staging:
            copied = tuple(_copy(batch, n, path, staging, manner) for n, path in enumerate(ordered, start=1))
            sent = tuple(
                DeliveredFile(path.name, one.size, one.sha256, one.stamp if manner == "dropped" else "")
                for path, one in zip(ordered, copied, strict=True)
            )
            with acts_lock(settings, f"delivering {batch}"):
                taken = Taken(*_settle(settings, contract, period, sent, staging, manner), copied)
            if not taken.is_new and manner != "listed":
                _mend(settings, taken.delivery, sent, staging)
            return taken
    except OSError as error:  # its own text would tell the file's name
        raise Untaken(
            f"{batch}: landing cannot take the files over: {error.strerror or type(error).__name__}."
        ) from None


def _check(batch: str, limits: FormatLimits, files: Sequence[Path], free: int) -> None:
    """Look at names and sizes before anything is copied."""
    if not files or len(files) > MOST_FILES:
        raise HimsError(f"{batch}: {len(files):,} files; a delivery has 1 to {MOST_FILES}. Pack them into an archive.")
    total = 0
    for position, path in enumerate(files, start=1):
        if trouble := trouble_of_name(path.name):
            raise Unfit(batch, position, trouble)
        size = path.stat().st_size if path.is_file() else 0
        if trouble := trouble_of_size(size, limits):
            raise Unfit(batch, position, trouble)
        total += size
    if same := same_names([path.name for path in files]):
        raise Unfit(batch, same[1] + 1, "has the name of another file of the delivery, case aside; rename one")
    if trouble := trouble_of_room(total, free):
        raise Untaken(f"{batch}: {trouble}.")


def trouble_of_room(size: int, free: int) -> str:
    """Why the disk cannot take a delivery; `""` where it can."""
    if size + MARGIN_BYTES <= free:
        return ""
    return f"its files have {size / 1e6:,.0f} MB and the disk of landing has {free / 1e6:,.0f} MB left; make room"


def _copy(batch: str, position: int, path: Path, staging: Path, manner: Manner) -> Copied:
    try:
        return copy_file(path, staging / path.name, follow_links=manner == "listed")
    except Unsound as error:
        reason = str(error)
    raise Unfit(batch, position, reason)


def _identity(contract: Contract, period: str, files: Iterable[DeliveredFile]) -> str:
    lines = []
    for file in files:
        takers = contract.takers(inner_name(file.name), period)
        lines.append(f"{takers[0] if takers else '?'} {file.sha256}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _settle(
    settings: Settings, contract: Contract, period: str, files: tuple[DeliveredFile, ...], staging: Path, manner: Manner
) -> tuple[Delivery, bool, bool]:
    """Make what was copied a delivery, or find the one that it is. The caller holds the acts' lock."""
    identity, place = _identity(contract, period, files), staging.parent
    now, target = datetime.now(UTC).isoformat(timespec="seconds"), place / identity[:ID_LENGTH]
    known = deliveries(settings, contract.source)
    number = partial(next_number, settings, max((one.sequence for one in known), default=0))
    whole_source = contract.period.supersedes == "earlier_deliveries"
    rivals = [one for one in known if whole_source or one.period == period]
    for rival in rivals:
        if (rival.period, rival.sha256) == (period, identity):
            if rival.withdrawn or manner == "listed" or _is_left(rival, files) or rival == max(rivals, key=_order):
                return rival, False, False
            again = replace(rival, sequence=number(), sent_again=(*rival.sent_again, now))
            with journal.act(settings, journal.RECEIVED, **_describe_delivery(again), again=True):
                write_record(settings, again, target)
            return again, False, True
    if target.exists():
        _set_aside(settings, target, manner)
    delivery = Delivery(contract.source, period, identity[:ID_LENGTH], identity, number(), now, files)
    write_record(settings, delivery, staging)
    sync(staging)
    with journal.act(settings, journal.RECEIVED, **_describe_delivery(delivery)):
        staging.rename(target)
        for folder in (place, place.parent, settings.landing):
            sync(folder)
    return delivery, True, False


def _describe_delivery(delivery: Delivery) -> dict[str, Any]:
    """What the audit trail says of a delivery."""
    return {
        "batch": delivery.batch,
        "files": len(delivery.files),
        "bytes": delivery.size,
        "delivery_sha256": delivery.sha256,
        "sequence": delivery.sequence,
    }


def _order(delivery: Delivery) -> tuple[int, str]:
    return delivery.sequence, delivery.id


def _is_left(known: Delivery, files: tuple[DeliveredFile, ...]) -> bool:
    """Are these the very files that it was copied from, left by a kill before they were deleted?"""
    return {file.origin for file in files} <= {file.origin for file in known.files} - {""}


def _mend(settings: Settings, known: Delivery, files: tuple[DeliveredFile, ...], staging: Path) -> None:
    """Put files that are no longer what was taken over back from the same bytes, sent again."""
    if not find_damaged_sent_files(settings, known):
        return
    sent = {file.sha256: staging / file.name for file in files}
    for file, path in zip(known.files, known.paths(settings), strict=True):
        copy = staging / f".mended-{time.monotonic_ns()}"
        shutil.copyfile(sent[file.sha256], copy)  # not renamed: two files may have the same bytes
        sync(copy)
        copy.replace(path)
    sync(known.folder(settings))


def _set_aside(settings: Settings, target: Path, manner: Manner) -> None:
    """Make room for a delivery whose folder stands there with a damaged record; nothing in it is deleted."""
    try:
        read_record(settings, target)
    except Damaged:
        if manner in ("listed", "made"):  # whoever sends it again knows what he does; a list does not
            raise
        target.rename(target.with_name(f".damaged-{target.name}-{time.time_ns()}"))
        return
    raise HimsError(f"{target.parent.parent.name}/{target.parent.name}: two deliveries have the id {target.name}.")
