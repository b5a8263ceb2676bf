"""Which key an installation rests on, by fingerprint: noted at its first use, so that another or a lost one is told.

    key.json   `version`, `since`, `former` keys; `rotating` while a rotation runs; `destroyed` once the key was

It holds no secret and carries no seal, since it must be readable without the key; a hash of its own (`check`) finds
what fell over in it. Where it is missing, the records that name their key are asked. Not here: the key itself (`keys`),
and how it is changed or destroyed (`rotation`).
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from hims_pipeline.errors import HimsError
from hims_pipeline.plain_file import CHECK, checked_text, parse_json, read_json, read_text
from hims_pipeline.settings import Settings

FILE = "key.json"
DEMONSTRATION = "demonstration-"
_rotating: set[str] = set()  # homes whose rotation this process carries out


class KeyMismatch(HimsError):
    """The key at hand is not the one that this installation rests on. Nothing of the installation is wrong."""


class NoteDamaged(HimsError):
    """The note of which key an installation rests on cannot be read."""


def read_key_facts(settings: Settings) -> dict[str, Any]:
    """What is noted of the key; empty in an installation that has used none.

    Raises:
        NoteDamaged: the note cannot be read, so that a change of key under way would go unseen.
    """
    try:
        return dict(_parse_facts(read_text(settings.home / FILE)))
    except FileNotFoundError:
        version = _told_by_records(settings)
        return {"version": version} if version else {}
    except PermissionError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise NoteDamaged(
            f"{settings.home / FILE} cannot be read. Delete it: it is made again from the records."
        ) from None


@lru_cache(maxsize=1)  # it is asked for with each record that is read
def _parse_facts(text: str) -> Mapping[str, Any]:
    facts = parse_json(text)
    facts.pop(CHECK)
    if text != checked_text(facts):
        raise ValueError
    return facts if isinstance(facts["version"], str) else {}


def damage(settings: Settings) -> str:
    """What is wrong with the note; empty where nothing is."""
    try:
        read_key_facts(settings)
    except NoteDamaged as error:
        return str(error)
    return ""


def _read_believed(settings: Settings) -> dict[str, Any]:
    """What is noted, or where the note is damaged what the records tell: enough to look and to take a release back."""
    try:
        return read_key_facts(settings)
    except NoteDamaged:
        return {"version": version} if (version := _told_by_records(settings)) else {}


def _told_by_records(settings: Settings) -> str:
    places = [*sorted(settings.releases.glob("r*/public/manifest.json"), reverse=True)]
    places += settings.validated.glob("*/*/*/manifest.json")
    for place in places:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if version := read_json(place).get("key_version"):
                return str(version)
    return ""


def note(settings: Settings, facts: dict[str, Any]) -> None:
    """Write down what is known of the key, durably and in one step."""
    path = settings.home / FILE
    temporary = path.with_name(f".{FILE}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(checked_text(facts))
        file.flush()
        os.fsync(file.fileno())
    temporary.chmod(0o600)
    temporary.replace(path)
    descriptor = os.open(settings.home, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def open_rotation(settings: Settings) -> Iterator[None]:
    """Both keys are good for this process while it carries a rotation out."""
    _rotating.add(str(settings.home))
    try:
        yield
    finally:
        _rotating.discard(str(settings.home))


def check_version(settings: Settings, version: str) -> None:
    """Refuse a key that is not the one that this installation rests on; the first key that is used is noted.

    Raises:
        KeyMismatch: it is another one, a rotation was interrupted, or the key was destroyed.
    """
    facts = _read_believed(settings)
    if not facts:
        if settings.identified.is_dir() and not damage(settings):
            with contextlib.suppress(OSError):  # an account that may only read notes nothing
                note(settings, {"version": version, "since": current_time(), "former": []})
        return
    if str(settings.home) in _rotating:
        return
    refuse_destroyed(settings, facts)
    if "rotating" in facts:
        old, new = facts["rotating"]["from"], facts["rotating"]["to"]
        raise KeyMismatch(
            f"A change of key from {old} to {new} was interrupted. `hims key rotate NEW_KEY_FILE --reason …`, with the "
            f"file of {new} and HIMS_KEY_FILE still that of {old}, finishes it."
        )
    if facts["version"] != version and facts["version"].startswith(DEMONSTRATION):
        raise KeyMismatch(f"{_check_demonstrated(settings)} Nothing was changed.")
    if facts["version"] != version:
        raise KeyMismatch(
            f"The key at hand is {version}, and {settings.home} rests on key {facts['version']}: set HIMS_KEY_FILE to "
            "that one. Nothing was changed. Another key takes over by `hims key rotate` alone."
        )


def refuse_destroyed(settings: Settings, facts: dict[str, Any]) -> None:
    """Raises:
    KeyMismatch: the key was destroyed, so that nothing can be sealed, proved or pseudonymised any more.
    """
    if "destroyed" in facts:
        gone = facts["destroyed"]
        raise KeyMismatch(
            f"Key {facts['version']} of {settings.home} was destroyed on {gone['at'][:10]} ({gone['reason']}). Its "
            "records can no longer be proved and nothing more can be taken in here. Releases can still be read "
            "(`hims query`, `hims release show`); new data go into another HIMS_HOME with a key of its own."
        )


def advise_missing_key(settings: Settings, where: str) -> str:
    """What to do about a key that cannot be found where an installation rests on one; empty where it rests on none."""
    facts = _read_believed(settings)
    if not facts:
        return ""
    refuse_destroyed(settings, facts)
    if facts["version"].startswith(DEMONSTRATION):
        return f"{where}. {_check_demonstrated(settings)}"
    return (
        f"{where}. {settings.home} rests on key {facts['version']}: put its sealed copy back and name it in "
        "HIMS_KEY_FILE. No other key opens what is there; a new one would make its records worthless."
    )


def _check_demonstrated(settings: Settings) -> str:
    return (
        f"{settings.home} rests on the demonstration key, which is public. Bring data of persons into another "
        "HIMS_HOME with a key of its own; or, without HIMS_KEY_FILE and outside production, let one take over by "
        "`hims key rotate KEY_FILE --reason …`."
    )


def current_time() -> str:
    """This moment in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
