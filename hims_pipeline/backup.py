"""Backups of an installation: made, found, verified. The key is never in one.

    <folder>/<instant>/files/…       what the installation holds; a file that two backups share is one on disk
    <folder>/<instant>/config/…      data/ and expectations/ as they were
    <folder>/<instant>/backup.json   every file with its hash, sealed; written last, so what has none is no backup

Left out is what is made again by itself: builds and what is kept of them, rendered trees, scratch, and Dagster's
history, whose checks are shown again by the next night. Not here: how one is restored (`restore`), when they are
made (`deploy/`), and how old the last one may be (`watch`).
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import seal
from hims_pipeline.lake.files import private_folder, remove_folder, sha256_of, sync
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.release import store
from hims_pipeline.settings import Settings
from hims_pipeline.watch.backups import note_backup

RECORD, KIND = "backup.json", "backup"
FILES, CONFIG, HEAD = "files", "config", "audit.head"
MADE_AGAIN = ("build", "kept", "rendered", "dagster", "identified/scratch", "identified/samples", "alerts/book.lock")
PATIENCE_SECONDS = 4 * 3600
Log = Callable[[str], None]
Listed = dict[str, dict[str, Any]]  # place in the installation -> sha256, size, mode


@dataclass(frozen=True)
class Backup:
    """A finished backup and what its record says."""

    folder: Path
    record: dict[str, Any]

    @property
    def files(self) -> Listed:
        files: Listed = self.record["files"]
        return files


def make_backup(settings: Settings, folder: Path, keep: int = 0, log: Log = lambda text: None) -> Backup:
    """Back the installation up into a new folder within `folder`.

    Nights wait while it is made. What people do meanwhile (a withdrawal, a delivery, another release) is in it: the
    small rest is copied under the acts' lock.

    Args:
        keep: how many backups stay, this one among them; 0 for all.

    Raises:
        HimsError: the folder lies within the installation, or a file cannot be copied.
    """
    folder = folder.expanduser().resolve()
    if folder.is_relative_to(settings.home.resolve()):
        raise HimsError(f"{folder} lies within the installation: a backup belongs on another disk.")
    load_key(settings)
    now = datetime.now(UTC)
    target = folder / now.strftime("%Y%m%dT%H%M%SZ")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        private_folder(target)
        with installation_lock(settings, "making a backup", PATIENCE_SECONDS, log):
            former = {one.folder: one.files for one in backups(settings, folder)[-1:]}
            copier = _Copier(settings, target / FILES, former)
            copier.copy_all()
            with acts_lock(settings, "making a backup"):
                copier.copy_all()
                record = _record(settings, target, copier.done, now)
            seal.write_sealed(settings, target / RECORD, KIND, record)
            note_backup(settings, now, str(target))
    except OSError as error:
        raise HimsError(f"The backup in {target} is not whole: {error.strerror or type(error).__name__}.") from None
    log(f"{target}: {len(record['files']):,} files, {copier.copied / 1e6:,.1f} MB new")
    for backup in backups(settings, folder)[:-keep] if keep else ():
        remove_folder(backup.folder)
        log(f"removed {backup.folder}")
    return Backup(target, record)


@dataclass
class _Copier:
    """Copies what has not been copied, or has changed since."""

    settings: Settings
    target: Path
    former: dict[Path, Listed]

    def __post_init__(self) -> None:
        self.done: Listed = {}
        self.seen: dict[str, tuple[int, int, int]] = {}
        self.copied = 0

    def copy_all(self) -> None:
        present = dict(_places(self.settings))
        for name, path in present.items():
            state = path.stat()
            mark = (state.st_size, state.st_mtime_ns, state.st_ino)
            if self.seen.get(name) != mark:
                self._copy(name, path, state)
                self.seen[name] = mark
        for name in self.done.keys() - present.keys():  # gone meanwhile
            del self.done[name]
            (self.target / name).unlink()

    def _copy(self, name: str, path: Path, state: os.stat_result) -> None:
        to = self.target / name
        private_folder(to.parent)
        to.unlink(missing_ok=True)
        sha256 = sha256_of(path)
        for folder, listed in self.former.items():
            if listed.get(name, {}).get("sha256") == sha256 and sha256_of(folder / FILES / name) == sha256:
                os.link(folder / FILES / name, to)
                break
        else:
            shutil.copyfile(path, to)
            to.chmod(0o400)
            sync(to)
            self.copied += state.st_size
            sha256 = sha256_of(to)  # of what the copy holds, also where the file grew meanwhile
        self.done[name] = {"sha256": sha256, "size": to.stat().st_size, "mode": stat.S_IMODE(state.st_mode)}


def _places(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Place in the installation -> file, for all that a backup holds. Links are followed for whole folders only."""
    for top in sorted(settings.home.iterdir()) if settings.home.is_dir() else ():
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            name = path.relative_to(settings.home).as_posix()
            if any(name == part or name.startswith(f"{part}/") for part in MADE_AGAIN):
                continue
            hidden = any(part.startswith(".") for part in Path(name).parts)
            if path.is_file() and not path.is_symlink() and not hidden and not name.endswith(".lock"):
                yield name, path
    config = settings.dagster_home / "dagster.yaml"
    if config.exists():
        yield "dagster/dagster.yaml", config
    if settings.head_file is not None and settings.head_file.exists():
        yield f"outside/{HEAD}", settings.head_file


def _record(settings: Settings, target: Path, files: Listed, now: datetime) -> dict[str, Any]:
    for name, place in (("data", settings.data), ("expectations", settings.expectations)):
        if place.is_dir():
            shutil.copytree(place, target / CONFIG / name, ignore=shutil.ignore_patterns(".*"))
    config = target / CONFIG
    return {
        "made_at": now.isoformat(timespec="seconds"),
        "key": load_key(settings).version,
        "release": store.pointer(settings),
        "files": files,
        "folders": {
            path.relative_to(settings.home).as_posix(): stat.S_IMODE(path.stat().st_mode)
            for path in [settings.home, *settings.home.rglob("*")]
            if path.is_dir() and not path.is_symlink()
        },
        "config": {
            path.relative_to(config).as_posix(): sha256_of(path)
            for path in (sorted(config.rglob("*")) if config.is_dir() else ())
            if path.is_file()
        },
    }


def backups(settings: Settings, folder: Path) -> list[Backup]:
    """Finished backups in a folder, oldest first. One whose record does not hold is none."""
    complete = []
    for path in sorted(folder.glob("*/" + RECORD)):
        try:
            complete.append(Backup(path.parent, seal.read_sealed(settings, path, KIND)))
        except Damaged:
            continue
    return complete


def find_backup(settings: Settings, folder: Path) -> Backup:
    """The backup at a folder, or the newest one within it.

    Raises:
        HimsError: there is none that this key has sealed.
    """
    if (folder / RECORD).exists():
        return Backup(folder, seal.read_sealed(settings, folder / RECORD, KIND))
    if candidates := backups(settings, folder):
        return candidates[-1]
    raise HimsError(f"{folder} holds no backup that was sealed with this key ({load_key(settings).version}).")


def find_damaged(backup: Backup) -> list[str]:
    """What in a backup is not what was written, a line each; every file is read."""
    damage = [
        f"{name} is missing or is not what was written"
        for name, one in sorted(backup.files.items())
        if not holds(backup.folder / FILES / name, one["sha256"])
    ]
    config = backup.record["config"]
    return damage + [
        f"config/{name}" for name, sha256 in config.items() if not holds(backup.folder / CONFIG / name, sha256)
    ]


def holds(path: Path, sha256: str) -> bool:
    """Whether a file is there and has this hash."""
    return path.is_file() and sha256_of(path) == sha256
