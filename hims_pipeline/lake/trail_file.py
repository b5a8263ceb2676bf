"""How the audit trail lies on the disk: one line written and one head, under a lock of the file's own.

What the two mean and how they are proved is in `trail`, the only module that uses this one.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO, Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import seal
from hims_pipeline.lake.files import private_folder, sync
from hims_pipeline.plain_file import parse_json
from hims_pipeline.settings import Settings

FIRST = "0" * 64
LINE, HEAD = "audit line", "audit head"


@dataclass(frozen=True)
class Head:
    """Where the trail ends: number and SHA-256 of its last line, and bytes up to and with it."""

    number: int = 0
    sha256: str = FIRST
    size: int = 0


def split_line(content: bytes) -> list[bytes]:
    """Lines of the trail; the last may be torn, with no newline behind it."""
    lines = content.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def parse_line(line: bytes) -> dict[str, Any] | None:
    """A line as a record, None where it is none."""
    try:
        entry = parse_json(line)
        return entry if isinstance(entry["number"], int) and isinstance(entry["event"], str) else None
    except (ValueError, TypeError, KeyError):
        return None


def hash_of(line: bytes) -> str:
    """SHA-256 of a line, which the next one holds."""
    return hashlib.sha256(line).hexdigest()


def is_ours(settings: Settings, entry: dict[str, Any]) -> bool:
    """Does a line's own seal hold under the present key?"""
    plain = {name: value for name, value in entry.items() if name != seal.SEAL}
    return entry.get(seal.SEAL) == seal.seal_of(settings, LINE, plain)


def continues(settings: Settings, entry: dict[str, Any] | None, head: Head) -> bool:
    """Is this the one line that a kill may leave ahead of the head?"""
    if entry is None or entry["number"] != head.number + 1 or entry.get("before") != head.sha256:
        return False
    return is_ours(settings, entry)


def read_head(settings: Settings) -> Head:
    """The head as its file has it.

    Raises:
        Damaged: it is missing or is not what we wrote.
    """
    path = settings.trail_head
    try:
        return Head(**seal.read_sealed(settings, path, HEAD))
    except TypeError:
        raise Damaged(path, "is no head of an audit trail") from None


@contextmanager
def open_trail(settings: Settings, *, writing: bool) -> Iterator[IO[bytes]]:
    """The trail's file under a lock of its own, held for one line: a reader meets whole lines and their head."""
    if settings.trail.exists() and not settings.trail.is_file():
        raise Damaged(
            settings.trail, "is no file: move it away, and put the trail back from a backup or begin it anew with "
            "`hims audit renew --reason …`"
        )  # fmt: skip
    if writing:
        settings.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(settings.trail, os.O_RDWR | os.O_CREAT, 0o600)
    else:
        descriptor = os.open(settings.trail, os.O_RDONLY)
    with os.fdopen(descriptor, "r+b" if writing else "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX if writing else fcntl.LOCK_SH)
        yield file


def mend_trail(settings: Settings, file: IO[bytes]) -> tuple[Head, int]:
    """The head that the next line is chained to, and how many bytes of a torn line were removed before it."""
    size = file.seek(0, os.SEEK_END)
    if not settings.trail_head.exists():
        if size:
            raise Damaged(
                settings.trail_head,
                "is missing, so the audit trail cannot be proved: put it back (is its disk mounted?), or go on with "
                "`hims audit renew --reason …`, which records what is missing",
            )
        sync(settings.home)
        write_head(settings, Head())  # before the first line: a trail without a head is never one of ours
    head = read_head(settings)
    if size == head.size:
        return head, 0
    file.seek(0)
    content = file.read()
    line = content[head.size :].strip(b"\n")
    known = split_line(content[: head.size])
    if not line or b"\n" in line or (head.number and (not known or hash_of(known[-1]) != head.sha256)):
        return head, 0  # what was cut or edited is written on from the head, so that it stays visible
    entry = parse_line(line)
    if entry is None:
        file.truncate(head.size)
        os.fsync(file.fileno())
        return head, len(content) - head.size
    if continues(settings, entry, head):
        _end_line(file)
        head = Head(entry["number"], hash_of(line), file.seek(0, os.SEEK_END))
        write_head(settings, head)
    return head, 0


def _end_line(file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
        _write_at(file, b"\n", size)


def write_line(settings: Settings, file: IO[bytes], head: Head, entry: dict[str, Any]) -> Head:
    """Write the line behind a head, sealed and chained to it, and the new head; neither where one fails."""
    plain = json.loads(json.dumps({"number": head.number + 1, **entry, "before": head.sha256}, ensure_ascii=False))
    line = json.dumps(plain | {seal.SEAL: seal.seal_of(settings, LINE, plain)}, ensure_ascii=False).encode()
    _end_line(file)
    start = file.seek(0, os.SEEK_END)
    new = Head(head.number + 1, hash_of(line), start + len(line) + 1)
    try:
        _write_at(file, line + b"\n", start)
        write_head(settings, new)
    except BaseException:
        with suppress(OSError, HimsError):  # where even that fails, the line is taken in or removed by the next one
            _take_back(settings, file, head, start)
        raise
    return new


def _write_at(file: IO[bytes], content: bytes, start: int) -> None:
    """Write durably, past the file's buffer: what a full disk refused is not tried again when the file is closed."""
    written = 0
    while written < len(content):
        written += os.pwrite(file.fileno(), content[written:], start + written)
    os.fsync(file.fileno())


def _take_back(settings: Settings, file: IO[bytes], head: Head, start: int) -> None:
    """Remove a line whose writing failed, so that what is told to have failed does not stand there as begun."""
    if head.number and read_head(settings) != head:
        write_head(settings, head)
    os.ftruncate(file.fileno(), start)
    os.fsync(file.fileno())


def write_head(settings: Settings, head: Head) -> None:
    """Write the head as a whole."""
    folder = settings.trail_head.parent
    if settings.head_file is None:
        private_folder(folder)
    elif not folder.is_dir():
        raise HimsError(f"HIMS_AUDIT_HEAD lies in {folder}, which is not there. Mount its disk, or make the folder.")
    seal.write_sealed(settings, settings.trail_head, HEAD, asdict(head))
