"""Releases as folders, the one file that changes, `CURRENT`, and what was taken back.

releases/CURRENT          r000012
releases/r000012/public/  warehouse.duckdb, parquet/, manifest.json, RELEASE_NOTES.md   for everybody
releases/r000012/staff/   warehouse.duckdb, manifest.json, verdicts/                    for the observatory
releases/WITHDRAWN.json   releases taken back, and why

Here they are found and read. Not here: how a release is made (`publish`), proved (`proof`), used and retired (`acts`).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged, ReleaseError
from hims_pipeline.lake import journal
from hims_pipeline.plain_file import read_json, read_text
from hims_pipeline.release import proof
from hims_pipeline.release.proof import find_unchecked, verify_release
from hims_pipeline.settings import Settings

__all__ = ["Release", "current_release", "find_unchecked", "get", "releases", "verify_release", "withdrawn_releases"]

ID = re.compile(r"r\d{6}")


@dataclass(frozen=True)
class Release:
    """A published release: its id and its folder."""

    id: str
    folder: Path

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def staff(self) -> Path:
        return self.folder / "staff"

    def manifest(self, part: str = "public") -> dict[str, Any]:
        """The manifest of a part.

        Raises:
            Damaged: it cannot be read, or is not this release's.
        """
        return proof.read_release_manifest(self, part)

    def figures(self) -> dict[str, Any]:
        """Rows and content hash of the table that holds its figures; earlier releases had all in one.

        Raises:
            Damaged: as `manifest`.
        """
        tables = self.manifest()["tables"]
        figures: dict[str, Any] = tables.get("published.indicator_observation") or tables["published.indicator_value"]
        return figures


def releases(settings: Settings) -> list[Release]:
    """All releases on disk, oldest first."""
    paths = settings.releases.glob("r*") if settings.releases.exists() else []
    return [Release(path.name, path) for path in sorted(paths) if ID.fullmatch(path.name)]


def next_id(settings: Settings) -> str:
    """A number that no release has had, also none that is gone from the disk or was never finished. A folder that no
    release is in takes its own number out, and no more.

    Raises:
        ReleaseError: there is no higher number.
    """
    published = {act["release"] for act, _ in journal.acts(settings) if act["event"] == journal.PUBLISHED}
    there = releases(settings)
    known = {one for one in published if ID.fullmatch(one)} | {one.id for one in there if _has_manifest(one)}
    number, taken = max((int(one[1:]) for one in known), default=0) + 1, {one.id for one in there}
    while (candidate := f"r{number:06d}") in taken:
        number += 1
    if not ID.fullmatch(candidate):
        raise ReleaseError(
            f"There is no number after {max(known)}: `hims release verify` tells which release nobody published here; "
            "move it away."
        )
    return candidate


def _has_manifest(release: Release) -> bool:
    try:
        release.manifest()
    except Damaged:
        return False
    return True


def get(settings: Settings, release_id: str) -> Release:
    """A release by its id.

    Raises:
        ReleaseError: there is none.
    """
    for release in releases(settings):
        if release.id == release_id:
            return release
    known = ", ".join(one.id for one in releases(settings)[-5:]) or "none yet"
    raise ReleaseError(f"There is no release {release_id!r}; the last ones are {known}.")


def pointer(settings: Settings) -> str | None:
    """The id that `CURRENT` holds, whether or not its release can be read; None before the first.

    Raises:
        Damaged: it holds no id.
    """
    path = settings.releases / "CURRENT"
    try:
        text = read_text(path).strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        text = ""
    if not ID.fullmatch(text):
        raise Damaged(path, "names no release; `hims release use <id> --reason …` writes it anew")
    return text


def current_release(settings: Settings) -> Release | None:
    """The release that readers get; None before the first.

    Raises:
        Damaged: `CURRENT` cannot be read, or its release is gone.
    """
    release_id = pointer(settings)
    if release_id is None:
        return None
    release = Release(release_id, settings.releases / release_id)
    if not release.folder.is_dir():
        raise Damaged(
            settings.releases / "CURRENT",
            f"names {release_id}, which is gone; `hims release use <id> --reason …` gives readers another one, and the "
            "next night publishes a new one",
        )
    return release


def withdrawn_releases(settings: Settings) -> dict[str, dict[str, str]]:
    """Release id -> why it was taken back, and the hash of its inputs; unproved, for pages and lists.

    Raises:
        Damaged: it cannot be read.
    """
    path = settings.releases / "WITHDRAWN.json"
    try:
        record = read_json(path)["releases"]
        return {name: {"reason": why["reason"], "inputs_sha256": why["inputs_sha256"]} for name, why in record.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged(path, "cannot be read; the next `hims run` writes it anew from the audit trail") from None


def read_state(settings: Settings) -> tuple[str | None, dict[str, dict[str, str]], list[str]]:
    """The current release's id and what was taken back, as far as they can be read; and what cannot, for pages and
    lists that must show the rest all the same."""
    now: str | None = None
    taken_back: dict[str, dict[str, str]] = {}
    damaged = []
    try:
        now = pointer(settings)
        if (release := current_release(settings)) is not None:
            release.manifest()
    except Damaged as error:
        damaged.append(str(error))
    try:
        taken_back = withdrawn_releases(settings)
    except Damaged as error:
        damaged.append(str(error))
    return now, taken_back, damaged


def find_lost(settings: Settings) -> list[str]:
    """Ids of releases that were published, not retired, and are gone from the disk."""
    gone = {intent["release"] for intent in journal.done(settings, journal.RETIRED)}
    published = {intent["release"] for intent in journal.done(settings, journal.PUBLISHED)}
    return sorted(published - gone - {release.id for release in releases(settings)})
