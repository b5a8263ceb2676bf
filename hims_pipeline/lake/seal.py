"""Seals: our own records signed with the installation's key, so that one which was edited, cut or moved is found.

A sealed record is a JSON object with a last member `seal`: HMAC-SHA-256, under the key's domain `seal`, of the record
without it in canonical form (sorted keys, no blanks) and of what kind of record it is. Not here: what a record says,
and which records are chained to which (each holds the hash of what it rests on).
"""

import hmac
import json
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged
from hims_pipeline.lake.files import write_json
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.settings import Settings

SEAL = "seal"
DOMAIN = "seal"


def key_version(settings: Settings) -> str:
    """Fingerprint of the key that seals here, which may be shown.

    Raises:
        HimsError: the installation's key cannot be had.
    """
    return load_key(settings).version


def seal_of(settings: Settings, kind: str, record: dict[str, Any]) -> str:
    """The seal (64 hexadecimal digits) of a record of a kind, such as `verdict`.

    Raises:
        HimsError: the installation's key cannot be had.
    """
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.digest(load_key(settings).for_domain(DOMAIN), f"{kind}\0{canonical}".encode(), "sha256").hex()


def write_sealed(settings: Settings, path: Path, kind: str, record: dict[str, Any], mode: int = 0o600) -> None:
    """Write a record with its seal, in one durable step."""
    plain = json.loads(json.dumps(record, ensure_ascii=False))  # what a reader will get: tuples are lists
    write_json(path, {**plain, SEAL: seal_of(settings, kind, plain)}, mode)


def read_sealed(settings: Settings, path: Path, kind: str) -> dict[str, Any]:
    """Read a record and prove its seal; returns it without the seal.

    Raises:
        Damaged: it cannot be read, is no JSON object, or its seal is not that of this kind under the present key.
        HimsError: the installation's key cannot be had.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        seal = record.pop(SEAL)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise Damaged(path, f"cannot be read as a sealed {kind} ({type(error).__name__})") from None
    if not isinstance(seal, str) or not hmac.compare_digest(seal.encode(), seal_of(settings, kind, record).encode()):
        raise Damaged(path, f"is not the {kind} that this installation wrote: its seal does not hold")
    return record
