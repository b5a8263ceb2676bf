"""What production demands before a source about persons may be opened. Other environments are not held to it."""

import os

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.settings import Settings


def check_personal_source(settings: Settings, contract: Contract) -> None:
    """Refuse a personal source in production until its legal record, a real key and a closed zone exist.

    Raises:
        HimsError: all that is missing, and what to do about it.
    """
    if settings.env != "prod" or not contract.personal:
        return
    missing = []
    if not contract.legal.basis.strip() or not contract.legal.record.strip():
        missing.append("its contract has no legal basis and record (`legal: basis, record`): enter them")
    try:
        load_key(settings)
    except HimsError as error:
        missing.append(str(error))
    missing += _open_zone(settings)
    if missing:
        raise HimsError(f"{contract.source} holds personal data and is not opened here:\n  " + "\n  ".join(missing))


def _open_zone(settings: Settings) -> list[str]:
    zone = settings.identified
    if not zone.is_dir():
        return [f"the identified zone {zone} does not exist: create it with mode 0700"]
    state, found = zone.stat(), []
    if state.st_mode & 0o077:
        found.append(f"the identified zone {zone} is open to other users: run `chmod 0700 {zone}`")
    if state.st_uid != os.geteuid():
        found.append(f"the identified zone {zone} belongs to another user: run as that user, or change its owner")
    return found
