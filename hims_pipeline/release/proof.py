"""How a release is bound, and whether it is what was published.

Its files are bound by their hashes, its manifests by their seals and by the audit trail. An outside reader needs no key
for the first: the manifest lists every file. What only the installation can prove is that the manifests themselves are
those that were published: each carries a seal, the staff manifest holds the hash of the public one, and the line of the
audit trail that tells of the publication holds the hashes of both.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import journal, seal, trail
from hims_pipeline.lake.files import sha256_of, sha256_of_each, sync
from hims_pipeline.plain_file import read_json
from hims_pipeline.privacy.file_modes import give_to_staff
from hims_pipeline.settings import Settings

if TYPE_CHECKING:
    from hims_pipeline.release.store import Release

MANIFEST = "manifest.json"
PARTS = ("public", "staff")
NEEDED = {"release", "part", "published_at", "contains_synthetic_data", "sources", "tables", "files", "key_version"}
NEEDED_OF = {"public": NEEDED, "staff": NEEDED | {"inputs_sha256", "public_manifest_sha256"}}


def kind_of_file(part: str) -> str:
    """Of which kind of record a manifest's seal says that it is."""
    return f"{part} release manifest"


def write_manifests(settings: Settings, candidate: Path, facts: dict[str, dict[str, Any]]) -> None:
    """Seal what a candidate's two parts say of themselves, with the hashes of their files. The last thing written into
    it: the staff manifest holds the public one's hash and where the audit trail ended.

    Args:
        facts: part -> its manifest, without what binds it.
    """
    end, version = trail.read_present_head(settings), seal.key_version(settings)
    for part in PARTS:
        bound: dict[str, Any] = {"part": part, "key_version": version}
        if part == "staff":
            bound["public_manifest_sha256"] = sha256_of(candidate / "public" / MANIFEST)
            bound["trail"] = {"number": end.number, "sha256": end.sha256}
        paths = [path for path in sorted((candidate / part).rglob("*")) if path.is_file()]
        files = {
            str(path.relative_to(candidate / part)): {"sha256": sha256, "bytes": path.stat().st_size}
            for path, sha256 in zip(paths, sha256_of_each(paths), strict=True)
        }
        manifest = facts[part] | bound | {"files": files}
        seal.write_sealed(settings, candidate / part / MANIFEST, kind_of_file(part), manifest)


def make_durable(settings: Settings, candidate: Path) -> None:
    """Read-only for all, the staff's part for their group only; everything on disk before the rename."""
    public = candidate / "public"
    for path in (public, *public.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o444)
    give_to_staff(settings, candidate / "staff")
    candidate.chmod(0o755)
    for path in (*sorted(candidate.rglob("*")), candidate):
        sync(path)


def read_release_manifest(release: "Release", part: str) -> dict[str, Any]:
    """A manifest as it stands, without its seal, which is not proved here: readers have no key.

    Raises:
        Damaged: it cannot be read, or is the manifest of another release or part.
    """
    path = release.folder / part / MANIFEST
    try:
        manifest = read_json(path)
        manifest.pop(seal.SEAL, None)
        whole = NEEDED_OF[part] <= manifest.keys() and all(
            {"sha256", "bytes"} <= f.keys() for f in manifest["files"].values()
        )
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Damaged(path, f"cannot be read ({type(error).__name__}); {_advice(release.id)}") from None
    if not whole:
        raise Damaged(path, f"is no whole manifest; {_advice(release.id)}")
    if (manifest["release"], manifest["part"]) != (release.id, part):
        raise Damaged(path, f"is the manifest of another release or part; {_advice(release.id)}")
    proven: dict[str, Any] = manifest
    return proven


def _advice(release_id: str) -> str:
    return (
        f"`hims release verify {release_id}` tells what else is wrong, `hims release use` gives readers another "
        "release, and the next night publishes a new one if this is the current"
    )


def verify_release(settings: Settings, release: "Release") -> list[str]:
    """What is wrong with a release: files, manifests, rights. Empty when all that can be checked here is well."""
    damage, manifests = [], {}
    if release.folder.is_symlink():
        damage.append("it is a link to another folder, where others may change it")
    for part in PARTS:
        if (release.folder / part).is_symlink():
            damage.append(f"{part}/ is a link to another folder, where others may change it")
        try:
            manifests[part] = read_release_manifest(release, part)
        except Damaged as error:
            damage.append(f"{part}/{MANIFEST} {error.what.split(';')[0]}")
            continue
        damage += _files(release.folder, part, manifests[part])
    damage += [text for part in manifests if (text := _seal(settings, release, part, manifests[part]))]
    known = manifests["staff"]["public_manifest_sha256"] if len(manifests) == len(PARTS) else None
    if known is not None and known != sha256_of(release.public / MANIFEST):
        damage.append(f"public/{MANIFEST} is not the one that the staff manifest knows")
    return damage + _trail(settings, release, manifests)


def find_unchecked(settings: Settings, release: "Release") -> list[str]:
    """What of a release cannot be proved on this machine, and why."""
    unchecked = []
    try:
        version = seal.key_version(settings)
        sealed_under = read_release_manifest(release, "public")["key_version"]
        if version != sealed_under:
            unchecked.append(f"seal not checked: it is of key {sealed_under}, here is {version}")
    except Damaged:
        pass
    except HimsError:
        unchecked.append("seal not checked: no key here")
    if _lines(settings) is None:
        unchecked.append("audit trail not checked: it cannot be read here")
    return unchecked


def _seal(settings: Settings, release: "Release", part: str, manifest: dict[str, Any]) -> str:
    try:
        if seal.key_version(settings) != manifest["key_version"]:
            return ""  # told by `find_unchecked`; the trail still holds the manifest's hash
        seal.read_sealed(settings, release.folder / part / MANIFEST, kind_of_file(part))
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
    published = [line for line in lines if line["event"] == journal.PUBLISHED and "manifests" in line]
    lines_of_release = [one for one in published if one["release"] == release.id]
    if not lines_of_release:
        return ["no line of the audit trail tells of its publication"]
    untold = [
        f"{part}/{MANIFEST} is not the one that the audit trail tells of"
        for part in manifests
        if lines_of_release[-1]["manifests"].get(part) != sha256_of(release.folder / part / MANIFEST)
    ]
    if untold or "staff" not in manifests:
        return untold
    resting = manifests["staff"]["trail"]
    if resting["number"] and journal.line_hash(settings, resting["number"]) != resting["sha256"]:
        return [f"line {resting['number']} of the audit trail is not the one that it was published after"]
    return []


def _files(folder: Path, part: str, manifest: dict[str, Any]) -> Iterator[str]:
    root, listed = folder / part, manifest["files"]
    there = [name for name in listed if (root / name).is_file() and not (root / name).is_symlink()]
    hashes = dict(zip(there, sha256_of_each([root / name for name in there]), strict=True))
    for name, facts in listed.items():
        if name not in hashes:
            yield f"{part}/{name} is missing"
        elif (root / name).stat().st_size != facts["bytes"] or hashes[name] != facts["sha256"]:
            yield f"{part}/{name} is not what was published"
    present = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}
    yield from (f"{part}/{name} was added" for name in sorted(present - set(listed) - {MANIFEST}))
    closed = stat.S_IRWXO if part == "staff" else 0
    for name in sorted(present):
        mode = (root / name).lstat().st_mode
        if mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH | closed):
            yield f"{part}/{name} is open to more than a published file is (mode {mode & 0o777:o})"
    if root.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH | closed):
        yield f"{part}/ is open to others (mode {root.stat().st_mode & 0o777:o})"
