"""Changing the installation's key, and destroying it; and what becomes of what rests on it.

A rotation seals every record anew under the new key, removes what holds pseudonyms of the former one (batches, pairs,
links), and leaves their deliveries pending, so that the next run reads them under the new key: pseudonyms of two keys
never stand side by side. While it runs no other process may use either key; killed at any point, the same command
finishes it. Releases are not touched: their manifests name the key that sealed them, and the audit trail holds their
hashes. Staff files of earlier releases keep former pseudonyms until they are retired.
"""

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hims_pipeline import retention
from hims_pipeline.carry.last_build import forget
from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import journal, landing, seal, sequence, tombstone, trail, trail_file
from hims_pipeline.lake.files import remove_folder
from hims_pipeline.plain_file import read_json
from hims_pipeline.privacy import key_record
from hims_pipeline.privacy.keys import Key, load_key
from hims_pipeline.settings import Settings

ROTATED, KEY_DESTROYED = "key rotated", "key destroyed"
# What may be sealed beside the audit trail and releases: a record of another kind is told as one that does not hold.
KINDS = (
    "delivery",
    "manifest",
    "verdict",
    tombstone.KIND,
    "releases taken back",
    "build",
    "plan",
    "nodes",
    "contracts in force",
    "searched tables",
    "tree",
    "rules",
    "scrub",
    "findings",
    "report",
    "deliveries held back",
    sequence.KIND,
)
Log = Callable[[str], None]


@dataclass(frozen=True)
class RotationPlan:
    """What a rotation would do.

    Args:
        records: sealed records and their kinds.
        damaged: records whose seal does not hold now; they are left as they are, and stay damaged.
        batches: folders of batches that hold pseudonyms of the present key, to be removed and read again.
        lost: of these, batches whose files as sent are not in landing any more, so that they cannot be read again.
        releases: whose staff files hold pseudonyms of the present key.
    """

    records: list[tuple[Path, str]]
    damaged: list[Path]
    batches: list[Path]
    lost: list[str]
    releases: list[str]


def find_batches_of_key(settings: Settings, version: str) -> list[tuple[Path, dict[str, Any]]]:
    """Folders and manifests of the batches whose pseudonyms were made with a key."""
    paths = []
    for root in (settings.bronze, settings.validated, settings.quarantine):
        for path in sorted(root.glob("*/*/*/manifest.json")):
            record = _record(path)
            if record and record.get("key_version") == version:
                paths.append((path.parent, record))
    return paths


def plan_rotation(settings: Settings, version: str, fresh: Settings | None = None) -> RotationPlan:
    """Look at everything that rests on the present key, and change nothing.

    Args:
        fresh: with the new key, where a rotation may have come halfway.
    """
    either = [settings, *([fresh] if fresh else [])]
    records: list[tuple[Path, str]] = []
    damaged = []
    for path in _sealed_records(settings):
        kind = next((kind for one in either if (kind := _kind(one, path))), "")
        if kind:
            records.append((path, kind))
        else:
            damaged.append(path)
    folders = [folder for folder, _ in find_batches_of_key(settings, version)]
    there = {sent.batch: sent for one in either for sent in landing.deliveries(one)}
    names = {"/".join(folder.parts[-3:]) for folder in folders}
    lost = sorted(n for n in names if n not in there or not all(p.is_file() for p in there[n].paths(settings)))
    staff = [path.parents[1].name for path in sorted(settings.releases.glob("r*/staff/warehouse.duckdb"))]
    return RotationPlan(records, damaged, folders, lost, staff)


def _sealed_records(settings: Settings) -> Iterator[Path]:
    """Every sealed record of the installation but the head of the trail and the manifests of releases."""
    released = [path for path in settings.releases.glob("r*") if path.is_dir()]
    for path in sorted(settings.home.rglob("*.json")):
        if path == settings.trail_head or any(path.is_relative_to(one) for one in released) or path.is_symlink():
            continue
        record = _record(path)
        if record and isinstance(record.get(seal.SEAL), str):
            yield path


def _record(path: Path) -> dict[str, Any] | None:
    try:
        value = read_json(path)
        return value if isinstance(value, dict) else None
    except (OSError, ValueError):
        return None


def _kind(settings: Settings, path: Path) -> str:
    for kind in KINDS:
        try:
            seal.read_sealed(settings, path, kind)
            return kind
        except Damaged:
            continue
    return ""


def rotate(
    settings: Settings, new_file: Path, reason: str, drop: bool = False, log: Log = lambda text: None
) -> RotationPlan:
    """Let another key take over. The caller holds the installation's lock, and the acts' lock.

    Args:
        settings: with the present key.
        drop: go on although batches cannot be read again; their figures leave the next release.

    Raises:
        HimsError: no reason, the same key, a key that is not fit, batches that would be lost, or damage to the trail.
    """
    if not reason.strip():
        raise HimsError("Say why, with --reason: it stands in the audit trail.")
    fresh = replace(settings, key_file=new_file.expanduser().resolve())
    with key_record.open_rotation(settings):
        old, new = load_key(settings), load_key(fresh)
        _check(settings, old, new)
        begun = plan_rotation(settings, old.version, fresh)
        if begun.lost and not drop:
            raise HimsError(
                f"Files as sent are missing for {', '.join(begun.lost)}: they cannot be read under the new key. Put "
                "them back from a backup, or add --drop: their figures then leave the next release."
            )
        _begin(settings, fresh, old, new, reason.strip(), begun)
        forget(settings)  # the last build's file holds pseudonyms of the former key
        _seal_anew(settings, fresh, log)
        for folder in begun.batches:
            remove_folder(folder)
        remove_folder(settings.links)
        _end(settings, fresh, old, new, log)
    return begun


def _check(settings: Settings, old: Key, new: Key) -> None:
    facts = key_record.read_key_facts(settings)
    key_record.refuse_destroyed(settings, facts)
    if old.version == new.version:
        raise HimsError(f"Both files hold key {old.version}. `hims key init PATH` makes a new one.")
    under_way = facts.get("rotating")
    if under_way and (under_way["from"], under_way["to"]) != (old.version, new.version):
        raise HimsError(
            f"A change of key from {under_way['from']} to {under_way['to']} is under way, and these are {old.version} "
            f"and {new.version}: finish that one first."
        )
    if not under_way and facts.get("version", old.version) != old.version:
        raise HimsError(f"The key at hand is {old.version}, and the installation rests on {facts['version']}.")
    if not under_way and (damage := trail.check(settings).damage):
        raise HimsError(f"The audit trail is damaged, so no key is changed: {damage[0]}. See `hims audit verify`.")


def _read_begun(settings: Settings, old: Key, new: Key) -> tuple[dict[str, Any], str] | None:
    acts = journal.acts(settings)
    mine = [(i, s) for i, s in acts if i["event"] == ROTATED and (i["former"], i["key"]) == (old.version, new.version)]
    return mine[-1] if mine else None


def _begin(settings: Settings, fresh: Settings, old: Key, new: Key, reason: str, begun: RotationPlan) -> None:
    """Note that both keys are good, then tell the trail: from here on the same command finishes it."""
    facts = key_record.read_key_facts(settings)
    if "rotating" not in facts:
        key_record.note(settings, facts | {"rotating": {"from": old.version, "to": new.version}})
    if not _has_head(fresh) and _read_begun(settings, old, new) is None:
        journal.record(
            settings, ROTATED, state=journal.BEGUN, former=old.version, key=new.version, reason=reason,
            records=len(begun.records), batches=len(begun.batches), releases_of_former=begun.releases,
        )  # fmt: skip


def _has_head(settings: Settings) -> bool:
    try:
        seal.read_sealed(settings, settings.trail_head, trail_file.HEAD)
        return True
    except Damaged:
        return False


def _seal_anew(settings: Settings, fresh: Settings, log: Log) -> None:
    """Every record in a step of its own; what is sealed under the new key already stays."""
    count = 0
    for path in list(_sealed_records(settings)):
        if _kind(fresh, path):
            continue
        if kind := _kind(settings, path):
            record = seal.read_sealed(settings, path, kind)
            seal.write_sealed(fresh, path, kind, record, mode=path.stat().st_mode & 0o777)
            count += 1
        else:
            log(f"not what was written, and left as it is: {path}")
    log(f"{count:,} records sealed under the new key")


def _end(settings: Settings, fresh: Settings, old: Key, new: Key, log: Log) -> None:
    if not _has_head(fresh):
        trail.reseal(fresh, former=settings)
    retention.forget_links(fresh, log)
    begun = _read_begun(fresh, old, new)
    if begun and begun[1] == journal.BEGUN:
        journal.record(fresh, ROTATED, state=journal.DONE, of=begun[0]["number"])
    facts = key_record.read_key_facts(settings)
    former = [*facts.get("former", []), {"version": old.version, "until": key_record.current_time()}]
    key_record.note(settings, {"version": new.version, "since": key_record.current_time(), "former": former})


def destroy_key(settings: Settings, version: str, reason: str) -> None:
    """Destroy the installation's key: no pseudonym can be made again or tied to a number, for ever.

    Recorded first; then it is noted as destroyed, overwritten and removed. Copies elsewhere are for the officers.

    Raises:
        HimsError: no reason, another fingerprint than the key's, or there is no key file.
    """
    if not reason.strip():
        raise HimsError("Say on whose decision, with --reason: it stands in the audit trail.")
    if settings.key_file is None:
        raise HimsError("There is no key file here: the demonstration key is public and cannot be destroyed.")
    facts = key_record.read_key_facts(settings)
    if "destroyed" not in facts:
        key = load_key(settings)
        if key.version != version:
            raise HimsError(f"The key at hand is {key.version}, not {version}: nothing was destroyed.")
        journal.record(settings, KEY_DESTROYED, key=version, reason=reason.strip())
        gone = {"at": key_record.current_time(), "reason": reason.strip()}
        key_record.note(settings, facts | {"version": version, "destroyed": gone})
    elif facts["version"] != version:
        raise HimsError(f"It was key {facts['version']} that was destroyed here, not {version}.")
    _wipe(settings.key_file)


def _wipe(path: Path) -> None:
    """Overwrite and remove a file. Disks that copy on write may keep a former version: the protocol says so."""
    if not path.exists():
        return
    path.chmod(0o600)
    with path.open("r+b") as file:
        for _ in range(2):
            file.seek(0)
            file.write(secrets.token_bytes(max(path.stat().st_size, 1)))
            file.flush()
            os.fsync(file.fileno())
    path.unlink()
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
