"""Seals: our own records signed with the installation's key, so that one which was edited, cut or moved is found.

A sealed record is a JSON object with a last member `seal`: the key's version and the HMAC-SHA-256, under the key's
domain `seal`, of what kind of record it is and of the record without it in canonical form (sorted keys, no blanks). The
file's bytes must be those that we would write of it, so not one bit of it can change unseen. Not here: what a record
says, and which records are chained to which (each holds the hash of what it rests on).
"""

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged
from hims_pipeline.lake.files import write_text
from hims_pipeline.plain_file import parse_json, read_bytes
from hims_pipeline.privacy.keys import load_key
from hims_pipeline.settings import Settings

SEAL = "seal"
DOMAIN = "seal"
_proven: set[tuple[str, str, bytes]] = set()  # key, kind and SHA-256 of files whose seal this process has proved


class SealedRecord(dict[str, Any]):
    """What a sealed record says. A member that it lacks is told as damage of its file: another version of ours wrote
    it, and whoever meets that makes the record anew or says so, instead of failing night after night."""

    def __init__(self, members: dict[str, Any], path: Path, kind: str) -> None:
        super().__init__(members)
        self._path, self._kind = path, kind

    def __missing__(self, name: str) -> Any:
        raise Damaged(self._path, f"does not hold what a {self._kind} of this version holds ({name} is missing)")


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
    return hmac.digest(load_key(settings).derive_domain_key(DOMAIN), f"{kind}\0{canonical}".encode(), "sha256").hex()


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _sign(settings: Settings, kind: str, record: dict[str, Any]) -> str:
    return f"{load_key(settings).version}:{seal_of(settings, kind, record)}"


def write_sealed(settings: Settings, path: Path, kind: str, record: dict[str, Any], mode: int = 0o600) -> None:
    """Write a record with its seal, in one durable step."""
    plain = json.loads(json.dumps(record, ensure_ascii=False))  # what a reader will get: tuples are lists
    write_text(path, _text({**plain, SEAL: _sign(settings, kind, plain)}), mode)


def read_sealed(settings: Settings, path: Path, kind: str) -> dict[str, Any]:
    """Read a record and prove its seal; returns it without the seal, as a `SealedRecord`.

    Raises:
        Damaged: it cannot be read, is no JSON object, its bytes are not those that `write_sealed` writes, or its seal
            is not that of this kind under the present key.
        HimsError: the installation's key cannot be had.
    """
    try:
        written = read_bytes(path)
        record: dict[str, Any] = parse_json(written.decode("utf-8"))
        seal = record.pop(SEAL)
        text = (key_version(settings), kind, hashlib.sha256(written).digest())
        if text in _proven:
            return SealedRecord(record, path, kind)
        as_we_write = _text({**record, SEAL: seal}).encode("utf-8") == written  # blanks, and members that stand twice
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise Damaged(path, f"cannot be read as a sealed {kind} ({type(error).__name__})") from None
    signed = _sign(settings, kind, record)
    if isinstance(seal, str) and as_we_write and hmac.compare_digest(seal.encode(), signed.encode()):
        _proven.add(text)
        return SealedRecord(record, path, kind)
    raise Damaged(path, f"is not the {kind} that this installation wrote: {_explain_bad_seal(settings, seal)}")


def _explain_bad_seal(settings: Settings, seal: Any) -> str:
    now, then = load_key(settings).version, str(seal).rpartition(":")[0]
    if re.fullmatch(r"(demonstration-)?[0-9a-f]{12}", then) and then != now:
        return f"its seal does not hold: it was sealed with another key, {then}, than the present one, {now}"
    return "its seal does not hold"
