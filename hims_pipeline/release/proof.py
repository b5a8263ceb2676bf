"""Is a release what was published? Its files by their hashes, its manifests by their seals and by the audit trail.

An outside reader needs no key for the first: the manifest lists every file. What only the installation can prove is that
the manifests themselves are those that were published: each carries a seal, the staff manifest holds the hash of the
public one, and the line of the audit trail that tells of the publication holds the hashes of both.
"""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import journal, seal
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.settings import Settings

if TYPE_CHECKING:
    from hims_pipeline.release.store import Release

MANIFEST = "manifest.json"
PARTS = ("public", "staff")
NEEDED = {"release", "part", "published_at", "contains_synthetic_data", "sources", "tables", "files", "key_version"}
NEEDED_OF = {"public": NEEDED, "staff": NEEDED | {"inputs_sha256", "public_manifest_sha256"}}


def kind_of(part: str) -> str:
    """Of which kind of record a manifest's seal says that it is."""
    return f"{part} release manifest"


def read_manifest(release: "Release", part: str) -> dict[str, Any]:
    """A manifest as it stands, without its seal, which is not proved here: readers have no key.

    Raises:
        Damaged: it cannot be read, or is the manifest of another release or part.
    """
    path = release.folder / part / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest.pop(seal.SEAL, None)
        whole = NEEDED_OF[part] <= manifest.keys() and all(
            {"sha256", "bytes"} <= f.keys() for f in manifest["files"].values()
        )
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Damaged(path, f"cannot be read ({type(error).__name__}); {_what_to_do(release.id)}") from None
    if not whole:
        raise Damaged(path, f"is no whole manifest; {_what_to_do(release.id)}")
    if (manifest["release"], manifest["part"]) != (release.id, part):
        raise Damaged(path, f"is the manifest of another release or part; {_what_to_do(release.id)}")
    return manifest


def _what_to_do(release_id: str) -> str:
    return (
        f"`hims release verify {release_id}` tells what else is wrong, `hims release use` gives readers another "
        "release, and the next night publishes a new one if this is the current"
    )


def verify(settings: Settings, release: "Release") -> list[str]:
    """What is wrong with a release: files, manifests, rights. Empty when all that can be checked here is well."""
    found, manifests = [], {}
    for part in PARTS:
        try:
            manifests[part] = read_manifest(release, part)
        except Damaged as error:
            found.append(f"{part}/{MANIFEST} {error.what.split(';')[0]}")
            continue
        found += _files(release.folder, part, manifests[part])
    found += [text for part in manifests if (text := _seal(settings, release, part, manifests[part]))]
    if len(manifests) == len(PARTS):
        if manifests["staff"]["public_manifest_sha256"] != sha256_of(release.public / MANIFEST):
            found.append(f"public/{MANIFEST} is not the one that the staff manifest knows")
    return found + _trail(settings, release, manifests)


def unchecked(settings: Settings, release: "Release") -> list[str]:
    """What of a release cannot be proved on this machine, and why."""
    found = []
    try:
        version = load_key(settings).version
        sealed_under = read_manifest(release, "public")["key_version"]
        if version != sealed_under:
            found.append(f"seal not checked: it is of key {sealed_under}, here is {version}")
    except Damaged:
        pass
    except HimsError:
        found.append("seal not checked: no key here")
    if _lines(settings) is None:
        found.append("audit trail not checked: it cannot be read here")
    return found


def _seal(settings: Settings, release: "Release", part: str, manifest: dict[str, Any]) -> str:
    try:
        if load_key(settings).version != manifest["key_version"]:
            return ""  # told by `unchecked`; the trail still holds the manifest's hash
        seal.read_sealed(settings, release.folder / part / MANIFEST, kind_of(part))
    except Damaged:
        return f"{part}/{MANIFEST} was changed: its seal does not hold"
    except HimsError:
        pass  # no key here
    return ""


def _lines(settings: Settings) -> list[dict[str, Any]] | None:
    try:
        # A copy of releases alone has neither a closed zone nor a trail; an installation without a trail has lost it.
        return journal.entries(settings) if settings.trail.exists() or settings.identified.exists() else None
    except OSError:
        return None


def _trail(settings: Settings, release: "Release", manifests: dict[str, Any]) -> list[str]:
    lines = _lines(settings)
    if lines is None:
        return []
    told = [
        one
        for one in lines
        if one["event"] == journal.PUBLISHED and one.get("release") == release.id and "manifests" in one
    ]
    if not told:
        return ["no line of the audit trail tells of its publication"]
    found = [
        f"{part}/{MANIFEST} is not the one that the audit trail tells of"
        for part in manifests
        if told[-1]["manifests"].get(part) != sha256_of(release.folder / part / MANIFEST)
    ]
    resting = manifests.get("staff", {}).get("trail")
    if resting and resting["number"]:
        there = journal.line_hash(settings, resting["number"])
        if there != resting["sha256"]:
            found.append(f"line {resting['number']} of the audit trail is not the one that it was published after")
    return found


def _files(folder: Path, part: str, manifest: dict[str, Any]) -> Iterator[str]:
    root, listed = folder / part, manifest["files"]
    for name, facts in listed.items():
        path = root / name
        if path.is_symlink() or not path.is_file():
            yield f"{part}/{name} is missing"
        elif path.stat().st_size != facts["bytes"] or sha256_of(path) != facts["sha256"]:
            yield f"{part}/{name} is not what was published"
    present = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}
    yield from (f"{part}/{name} was added" for name in sorted(present - set(listed) - {MANIFEST}))
    closed = stat.S_IRWXO if part == "staff" else 0
    for name in sorted(present):
        mode = (root / name).lstat().st_mode
        if mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH | closed):
            yield f"{part}/{name} may be {'read or ' if closed and mode & closed else ''}written, as mode {mode & 0o777:o}"
    if root.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH | closed):
        yield f"{part}/ is open to others, as mode {root.stat().st_mode & 0o777:o}"
