"""What production demands: of the installation before anything starts, and of a source about persons before it is
opened. Other environments are not held to it.
"""

import base64
import os
import stat
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.file_modes import find_too_open
from hims_pipeline.privacy.keys import DEMONSTRATION_KEY, LONGEST_FILE, load_key
from hims_pipeline.settings import Settings


def check_installation(settings: Settings) -> None:
    """Refuse to start in production with an open home, a key that others could reach, or the demonstration key.

    Raises:
        HimsError: all that is wrong, and what to do about each.
    """
    if settings.env != "prod":
        return
    wrong = [*_key(settings), *_home(settings)]
    if wrong:
        raise HimsError(f"Production does not start in {settings.home}:\n  " + "\n  ".join(wrong))


def check_personal_source(settings: Settings, contract: Contract) -> None:
    """Refuse a personal source in production until its legal record, a real key and a closed home exist.

    Raises:
        HimsError: all that is missing, and what to do about it.
    """
    if settings.env != "prod" or not contract.personal:
        return
    missing = []
    if not contract.legal.basis.strip() or not contract.legal.record.strip():
        missing.append("its contract has no legal basis and record (`legal: basis, record`): enter them")
    missing += [*_key(settings), *_home(settings)]
    if not settings.identified.is_dir():
        missing.append(f"the identified zone {settings.identified} does not exist: create it with mode 0700")
    if missing:
        raise HimsError(f"{contract.source} holds personal data and is not opened here:\n  " + "\n  ".join(missing))


def _home(settings: Settings) -> list[str]:
    home = settings.home
    if not home.is_dir():
        return [f"there is no {home}: create it with mode 0711, owned by the account that runs the pipeline"]
    problems = [f"{one}; others could read it until now" for one in find_too_open(settings)]
    owned = (home, settings.identified, settings.validated, settings.bronze, settings.releases, settings.dagster_home)
    for place in owned:
        if place.exists() and place.stat().st_uid != os.geteuid():
            problems.append(f"{place} belongs to another account: run as that one, or change its owner")
    return problems + _parents(home)


def _parents(place: Path) -> list[str]:
    """Whoever may write in a folder above can put another one in this one's place."""
    problems = []
    for parent in place.resolve().parents:
        state = parent.stat()
        if state.st_mode & 0o022 and not state.st_mode & stat.S_ISVTX:
            problems.append(f"{parent}, above {place}, can be written by others: run `chmod go-w {parent}`")
        if state.st_uid not in (0, os.geteuid()):
            problems.append(f"{parent}, above {place}, belongs to another account, which could replace {place.name}")
    return problems


def _key(settings: Settings) -> list[str]:
    problems = []
    try:
        load_key(settings)
    except HimsError as error:
        problems.append(str(error))
    if settings.key_file is None or not settings.key_file.is_file():
        return problems
    key = settings.key_file.resolve()
    for root, what in ((settings.home, "installation"), (settings.data, "data"), (settings.expectations, "suites")):
        if key.is_relative_to(root.resolve()):
            problems.append(
                f"the key {key} lies inside the {what} ({root}), whose backup would hold both: make another one "
                "outside with `hims key init`"
            )
    if key.stat().st_uid not in (0, os.geteuid()):
        problems.append(f"the key {key} belongs to another account: run as that one, or change its owner")
    if key.stat().st_size <= LONGEST_FILE and _demonstrates(key.read_bytes()):
        problems.append(f"{key} holds the demonstration key, which is public. Make a real one with `hims key init`.")
    return problems + _parents(key)


def _demonstrates(raw: bytes) -> bool:
    """Is the public key in it, however it was written down?"""
    plain = b"".join(raw.split())
    forms = (base64.b64encode(DEMONSTRATION_KEY), base64.urlsafe_b64encode(DEMONSTRATION_KEY))
    written = any(form.rstrip(b"=") in plain for form in forms) or b"demonstration" in plain
    return written or DEMONSTRATION_KEY in raw or DEMONSTRATION_KEY.hex().encode() in plain.lower().replace(b":", b"")
