"""The pseudonymisation key: made, loaded and refused here, and nowhere else. It is never logged and never in SQL text.

What the key is used for is in `pseudonym.py`.
"""

import hashlib
import hmac
import itertools
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from hims_pipeline.errors import HimsError
from hims_pipeline.privacy import key_record
from hims_pipeline.settings import REPOSITORY, Settings

KEY_BYTES = 32
LONGEST_FILE = 4_096  # bytes
# Not a secret, and named so: it makes samples and tests reproducible, and production refuses it.
DEMONSTRATION_KEY = hashlib.sha256(b"hims demonstration key: protects nobody").digest()


@dataclass(frozen=True)
class Key:
    """The master key; `version` is its fingerprint, which may be shown. The secret stays out of `repr`."""

    version: str
    secret: bytes = field(repr=False)
    demonstration: bool = False

    def derive_domain_key(self, domain: str) -> bytes:
        """The 32-byte key of a domain, by HKDF-SHA-256 (RFC 5869): registers of two domains cannot be joined."""
        extracted = hmac.new(b"hims-pipeline pseudonym", self.secret, hashlib.sha256).digest()
        return hmac.new(extracted, domain.encode() + b"\x01", hashlib.sha256).digest()


def load_key(settings: Settings) -> Key:
    """The key of this installation; without `HIMS_KEY_FILE` the demonstration key.

    Raises:
        KeyMismatch: the installation rests on another key, or on one that is missing here or was destroyed.
        HimsError: the key file is missing, readable by others, inside the repository, too short or too regular; or
            production has no key of its own.
    """
    key = _load(settings)
    key_record.check_version(settings, key.version)
    return key


def check_key(settings: Settings) -> None:
    """Refuse to begin where the installation rests on another key than the one at hand; any other trouble with the key
    is told by what needs it.

    Raises:
        KeyMismatch: it is another one, is missing, or was destroyed.
        NoteDamaged: which key it rests on cannot be read.
    """
    if key_record.read_key_facts(settings):
        try:
            load_key(settings)
        except key_record.KeyMismatch:
            raise
        except HimsError:
            return


def _load(settings: Settings) -> Key:
    if settings.key_file is None:
        if settings.env == "prod":
            if advice := key_record.advise_missing_key(settings, "HIMS_KEY_FILE is not set"):
                raise key_record.KeyMismatch(advice)
            raise HimsError(
                "Production has no pseudonymisation key. Run `hims key init /etc/hims/key` (outside the repository), "
                "seal a copy of it, and set HIMS_KEY_FILE to that path."
            )
        return Key(f"demonstration-{_fingerprint(DEMONSTRATION_KEY)}", DEMONSTRATION_KEY, demonstration=True)
    secret = _read(settings.key_file.resolve(), settings)
    if secret == DEMONSTRATION_KEY and settings.env == "prod":
        raise HimsError(f"{settings.key_file} holds the demonstration key. Make a real one with `hims key init`.")
    return Key(_fingerprint(secret), secret, demonstration=secret == DEMONSTRATION_KEY)


def create_key(path: Path) -> Key:
    """Write a new random key to `path` (mode 0400, 64 hexadecimal digits) and return it.

    Raises:
        HimsError: the file exists, or lies inside the repository.
    """
    path = path.expanduser().resolve()
    if path.is_relative_to(REPOSITORY):
        raise HimsError(f"{path} lies inside the repository; a key there ends up in a backup or a commit.")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    except FileExistsError:
        raise HimsError(f"{path} exists already; a key is never overwritten. Choose another name.") from None
    secret = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return Key(_fingerprint(secret), secret)


def _read(path: Path, settings: Settings) -> bytes:
    if not path.is_file():
        if advice := key_record.advise_missing_key(settings, f"HIMS_KEY_FILE names {path}, which is not a file"):
            raise key_record.KeyMismatch(advice)
        raise HimsError(f"HIMS_KEY_FILE names {path}, which is not a file. `hims key init {path}` makes one.")
    if any(path.is_relative_to(root) for root in (REPOSITORY, settings.project.resolve())):
        raise HimsError(f"The key {path} lies inside the repository. Move it out of it and make a new one.")
    if path.stat().st_mode & 0o177:
        raise HimsError(f"The key {path} can be opened by others. Run `chmod 0400 {path}`.")
    if path.stat().st_size > LONGEST_FILE:
        raise HimsError(f"The key {path} has {path.stat().st_size:,} bytes: it is no key of ours. Use `hims key init`.")
    raw = path.read_bytes()
    text = raw.strip()
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = text
    if len(secret) < KEY_BYTES:
        raise HimsError(f"The key {path} has {len(secret)} bytes; it needs {KEY_BYTES}. Use `hims key init`.")
    if _is_regular(secret):
        raise HimsError(f"The key {path} is too regular to be random. Use `hims key init`.")
    return secret


def _is_regular(secret: bytes) -> bool:
    """True for what nobody draws at random: 32 random bytes have fewer than 16 different ones once in 10^12 draws."""
    steps = {(b - a) % 256 for a, b in itertools.pairwise(secret)}
    return len(set(secret)) < 16 or len(steps) < 12


def _fingerprint(secret: bytes) -> str:
    return hmac.new(secret, b"hims key fingerprint", hashlib.sha256).hexdigest()[:12]
