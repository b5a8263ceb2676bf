"""Who may open what of an installation: the folders by role, and how they are closed again.

| place | role | folders, files |
|---|---|---|
| the installation itself | passed through, never listed | 0711 |
| `identified/` with landing, quarantine, rejects, links, scratch | intake | 0700, 0600 |
| `bronze/` `validated/` `build/` `kept/` `rendered/` `dagster/`, the audit trail | the pipeline | 0700, 0600 |
| `releases/<id>/staff/` | staff | 0700, 0400; 0750, 0440 where `HIMS_STAFF_GROUP` names their group |
| `approvals/` | who may agree: our group, or `HIMS_STAFF_GROUP` | 3770: each adds files, and removes only their own |
| `releases/<id>/public/`, `releases/CURRENT`, `releases/WITHDRAWN.json` | the public | 0755, 0444 |

Not here: what production refuses (`production`), and the umask, which closes what is made anew (`settings`).
"""

import grp
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings

HOME = 0o711
CLOSED = 0o700
PUBLIC = 0o755
SHARED = 0o3770  # files of several accounts: the group's, whoever makes them, and only their owner takes them away
PUBLIC_FILES = ("CURRENT", "WITHDRAWN.json")  # which release to read, and which no longer


@dataclass(frozen=True)
class TooOpen:
    """A place that more people can open than may."""

    path: Path
    mode: int
    allowed: int

    def __str__(self) -> str:
        return f"{self.path} has mode {self.mode:04o}: run `chmod {self.mode & self.allowed:04o} {self.path}`"


def staff_mode(settings: Settings) -> int:
    """The widest mode of a folder of the staff's part of a release."""
    return 0o750 if settings.staff_group else CLOSED


def find_too_open(settings: Settings) -> Iterator[TooOpen]:
    """Places of the installation that are wider than their role; what lies in a closed folder is not looked at."""
    home = settings.home
    if not home.is_dir():
        return
    yield from _find_too_wide(home, HOME)
    for place in sorted(home.iterdir()):
        if place != settings.releases:
            yield from _find_too_wide(place, SHARED if place == settings.approvals else CLOSED)
            continue
        yield from _find_too_wide(place, PUBLIC)
        for inner in sorted(place.iterdir()) if place.is_dir() else ():
            yield from _find_in_release(settings, inner)


def _find_in_release(settings: Settings, place: Path) -> Iterator[TooOpen]:
    if place.name in PUBLIC_FILES:
        yield from _find_too_wide(place, PUBLIC)
    elif place.name.startswith(".") or not place.is_dir():
        yield from _find_too_wide(place, CLOSED)
    else:
        yield from _find_too_wide(place, PUBLIC)
        for part in sorted(place.iterdir()):
            public = part.name == "public"
            yield from _find_too_wide(part, PUBLIC if public else staff_mode(settings))
            for inner in sorted(part.rglob("*")) if public else ():
                yield from _find_too_wide(inner, PUBLIC)


def _find_too_wide(place: Path, allowed: int) -> Iterator[TooOpen]:
    mode = (
        stat.S_IMODE(place.stat().st_mode) if place.exists() else 0
    )  # of what a link points to, a disk of its own say
    if mode & 0o077 & ~allowed:
        yield TooOpen(place, mode, allowed)


def make_home(settings: Settings) -> None:
    """Make the folders of an installation that are not there yet, each with the mode of its role."""
    wanted = {settings.home: HOME, settings.releases: PUBLIC}
    closed = (settings.identified, settings.links, settings.bronze, settings.validated, settings.dagster_home)
    for folder, mode in (wanted | dict.fromkeys(closed, CLOSED)).items():
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(mode)  # whatever the umask


def close_home(settings: Settings) -> list[str]:
    """Take away what rights are too many; nothing is widened.

    Returns:
        What was closed, for people: someone else may have read it.

    Raises:
        HimsError: a place belongs to another account, so it cannot be closed.
    """
    closed_places = []
    for one in list(find_too_open(settings)):
        try:
            _close(one)
        except PermissionError:
            raise HimsError(
                f"{one.path} is open to others and belongs to another account. As its owner, {one}."
            ) from None
        closed_places.append(
            f"closed {one.path}: it had mode {one.mode:04o}, so other accounts of this machine could open it"
        )
    return closed_places


def _close(too_open: TooOpen) -> None:
    too_open.path.chmod(too_open.mode & too_open.allowed)
    if too_open.allowed & (0o007 | stat.S_ISVTX) or not too_open.path.is_dir():
        return  # for all to read, or of several accounts
    for folder, names, files in os.walk(too_open.path):  # what lies in it was open too
        for name in (*names, *files):
            inner = Path(folder, name)
            if not inner.is_symlink():
                inner.chmod(stat.S_IMODE(inner.stat().st_mode) & too_open.allowed)


def share(settings: Settings, folder: Path) -> None:
    """Make a folder where the accounts of the staff's group, or of our own without one, put files beside ours.

    Raises:
        HimsError: the group does not exist, or our account is no member of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if settings.staff_group:
        _give(folder, settings.staff_group)
    folder.chmod(SHARED)


def give_to_staff(settings: Settings, folder: Path) -> None:
    """Make a finished folder read-only, for us and for the staff's group where there is one.

    Raises:
        HimsError: the group does not exist, or our account is no member of it.
    """
    wide = staff_mode(settings)
    for place in (folder, *folder.rglob("*")):
        if settings.staff_group:
            _give(place, settings.staff_group)
        place.chmod(wide if place.is_dir() else wide & 0o440)


def _give(place: Path, group: str) -> None:
    try:
        shutil.chown(place, group=grp.getgrnam(group).gr_gid)
    except KeyError:
        raise HimsError(f"HIMS_STAFF_GROUP names {group!r}, which is no group of this machine.") from None
    except PermissionError:
        raise HimsError(
            f"This account may not give {place} to HIMS_STAFF_GROUP={group}: make it a member of that group."
        ) from None
