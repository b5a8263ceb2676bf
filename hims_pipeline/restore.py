"""A backup put into an empty home: every file, the audit trail and the current release are proven on the way."""

import shutil
from collections.abc import Callable
from typing import Any

from hims_pipeline.backup import CONFIG, FILES, HEAD, Backup, holds
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import trail
from hims_pipeline.lake.files import sync
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.release import store
from hims_pipeline.settings import Settings

RESTORING = ".restoring"
Log = Callable[[str], None]


def restore_backup(settings: Settings, backup: Backup, log: Log = lambda text: None) -> list[str]:
    """Put a backup into an empty home, prove every file on the way, and prove the current release.

    Killed halfway, the same command goes on.

    Returns:
        What a person should know: how `data/` and `expectations/` here differ from those of the backup.

    Raises:
        HimsError: the home is not empty, or what was restored is not what was backed up.
    """
    marker = settings.home / RESTORING
    if settings.home.is_dir() and any(settings.home.iterdir()) and not marker.exists():
        raise HimsError(f"{settings.home} is not empty: a backup is restored into an empty home.")
    if load_key(settings).version != backup.record["key"]:
        raise HimsError(f"The key here is not that of the backup ({backup.record['key']}): set HIMS_KEY_FILE to it.")
    settings.home.mkdir(parents=True, exist_ok=True)
    marker.touch()
    for name in sorted(backup.record["folders"]):
        (settings.home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, one in backup.files.items():
        _put_back(settings, backup, name, one)
    for name, mode in sorted(backup.record["folders"].items(), reverse=True):
        (settings.home / name).chmod(mode)
    log(f"{len(backup.files):,} files of {backup.record['made_at']} are in {settings.home}")
    if wrong := [*trail.check(settings).damage, *_wrong_release(settings, backup)]:
        raise HimsError("What was restored is not what it was:\n  " + "\n  ".join(wrong))
    marker.unlink()
    return _differences(settings, backup)


def _put_back(settings: Settings, backup: Backup, name: str, record: dict[str, Any]) -> None:
    outside = name == f"outside/{HEAD}"
    to = settings.trail_head if outside else settings.home / name
    to.parent.mkdir(parents=True, exist_ok=True)
    if not holds(to, record["sha256"]):
        to.unlink(missing_ok=True)
        shutil.copyfile(backup.folder / FILES / name, to)
        sync(to)
        if not holds(to, record["sha256"]):
            raise HimsError(f"{name} is not what was backed up: `hims backup verify` says what else; take another one.")
    to.chmod(record["mode"])


def _wrong_release(settings: Settings, backup: Backup) -> list[str]:
    now = store.current_release(settings)
    if (now.id if now else None) != backup.record["release"]:
        return [f"the current release is {now.id if now else 'none'}, and was {backup.record['release']}"]
    return [f"{now.id}: {text}" for text in store.verify_release(settings, now)] if now else []


def _differences(settings: Settings, backup: Backup) -> list[str]:
    differences = []
    for name, place in (("data", settings.data), ("expectations", settings.expectations)):
        then = {p.removeprefix(f"{name}/"): h for p, h in backup.record["config"].items() if p.startswith(f"{name}/")}
        other = [path for path, sha256 in then.items() if not holds(place / path, sha256)]
        if other:
            differences.append(
                f"{place} differs from that of the backup in {len(other)} file(s), such as {other[0]}: a night makes "
                f"another release of it. As it was: {backup.folder / CONFIG / name}"
            )
    return differences
