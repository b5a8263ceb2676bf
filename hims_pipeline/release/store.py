"""Releases as folders, and the one file that changes: `CURRENT`.

releases/CURRENT          r000012
releases/r000012/public/  warehouse.duckdb, parquet/, manifest.json, RELEASE_NOTES.md   for everybody
releases/r000012/staff/   warehouse.duckdb, manifest.json, verdicts/                    for the observatory
releases/WITHDRAWN.json   releases taken back, and why
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.errors import ReleaseError
from hims_pipeline.lake import journal
from hims_pipeline.lake.files import read_json, remove_folder, sha256_of, write_json, write_text
from hims_pipeline.settings import Settings

PUBLIC_FILE = 0o644
ID = re.compile(r"r\d{6}")


@dataclass(frozen=True)
class Release:
    id: str
    folder: Path

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def staff(self) -> Path:
        return self.folder / "staff"

    def manifest(self, part: str = "public") -> dict[str, Any]:
        return read_json(self.folder / part / "manifest.json")


def releases(settings: Settings) -> list[Release]:
    """All releases on disk, oldest first."""
    found = settings.releases.glob("r*") if settings.releases.exists() else []
    return [Release(path.name, path) for path in sorted(found) if ID.fullmatch(path.name)]


def next_id(settings: Settings) -> str:
    return f"r{max((int(one.id[1:]) for one in releases(settings)), default=0) + 1:06d}"


def get(settings: Settings, release_id: str) -> Release:
    for one in releases(settings):
        if one.id == release_id:
            return one
    known = ", ".join(one.id for one in releases(settings)[-5:]) or "none yet"
    raise ReleaseError(f"There is no release {release_id!r}; the last ones are {known}.")


def current(settings: Settings) -> Release | None:
    """The release that readers get; None before the first."""
    pointer = settings.releases / "CURRENT"
    return get(settings, pointer.read_text(encoding="utf-8").strip()) if pointer.exists() else None


def withdrawn(settings: Settings) -> dict[str, dict[str, str]]:
    """Release id -> why it was taken back, and the hash of its inputs."""
    path = settings.releases / "WITHDRAWN.json"
    return read_json(path) if path.exists() else {}


def point_to(settings: Settings, release: Release) -> None:
    """Make a release the current one, in one durable step."""
    write_text(settings.releases / "CURRENT", release.id + "\n", PUBLIC_FILE)


def use(settings: Settings, release_id: str, reason: str) -> Release:
    """Roll back (or forward) to a release. Newer ones are marked withdrawn, so that no night brings them back.

    Raises:
        ReleaseError: no such release, a damaged one, or no reason given.
    """
    if not reason.strip():
        raise ReleaseError("Say why, with --reason: it stands in the audit trail.")
    release = get(settings, release_id)
    if damaged := verify(release):
        raise ReleaseError(f"{release_id} is damaged and cannot be used: {'; '.join(damaged)}.")
    taken_back = withdrawn(settings)
    taken_back.pop(release_id, None)
    for newer in releases(settings):
        if newer.id > release_id:
            taken_back[newer.id] = {"reason": reason, "inputs_sha256": newer.manifest("staff")["inputs_sha256"]}
    write_json(settings.releases / "WITHDRAWN.json", taken_back, PUBLIC_FILE)
    point_to(settings, release)
    journal.record(settings, "release used", release=release_id, reason=reason)
    return release


def verify(release: Release) -> list[str]:
    """What is wrong with a release's files: missing, changed, or not in the manifest. Empty when all is well."""
    found = []
    for part in ("public", "staff"):
        folder = release.folder / part
        try:
            listed = read_json(folder / "manifest.json")["files"]
        except (OSError, ValueError, KeyError):
            found.append(f"{part}/manifest.json cannot be read")
            continue
        for name, facts in listed.items():
            path = folder / name
            if not path.exists():
                found.append(f"{part}/{name} is missing")
            elif path.stat().st_size != facts["bytes"] or sha256_of(path) != facts["sha256"]:
                found.append(f"{part}/{name} is not what was published")
        present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        found += [f"{part}/{name} was added" for name in sorted(present - set(listed) - {"manifest.json"})]
    return found


def retire(settings: Settings, keep: int) -> list[str]:
    """Delete the oldest releases beyond `keep`, never the current one or the newest two."""
    now = current(settings)
    everything = releases(settings)
    spared = {one.id for one in everything[-max(keep, 2) :]} | ({now.id} if now else set())
    gone = [one for one in everything if one.id not in spared]
    for one in gone:
        remove_folder(one.folder)
    return [one.id for one in gone]
