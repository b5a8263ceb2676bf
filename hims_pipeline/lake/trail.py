"""The audit trail as a file: numbered lines, each holding the hash of the one before and a seal, and their head.

    audit.jsonl   one JSON object a line: `number`, what `journal` says, `before`, `seal`
    audit.head    number and hash of the last line and the size of the trail up to it, sealed; kept elsewhere

A line is written before its head. So a kill leaves the trail at most one whole line ahead, which is taken in, or a torn
one, which no act has rested on yet and which the next line replaces. Whatever else the file and the head do not agree
in was done by somebody else. A line is always chained to the head and never to what the file happens to end with, so
that writing on never hides a cut. Here: the format and its proof. Not here: what is recorded, and by whom (`journal`).
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import seal
from hims_pipeline.lake.files import private_folder, sync
from hims_pipeline.settings import Settings

FIRST = "0" * 64
LINE, HEAD = "audit line", "audit head"
MENDED, RENEWED = "audit trail mended", "audit trail renewed"


@dataclass(frozen=True)
class Head:
    """Where the trail ends: number and SHA-256 of its last line, and bytes up to and with it."""

    number: int = 0
    sha256: str = FIRST
    size: int = 0


@dataclass
class Checked:
    """What a check found: `damage` that nobody has answered for, and `notes` that a person should know."""

    lines: int = 0
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def append(settings: Settings, entry: dict[str, Any]) -> int:
    """Write one line and its head, durably; returns the line's number.

    Raises:
        Damaged: the head is missing or is not what we wrote.
        HimsError: the installation's key cannot be had.
    """
    with _locked(settings, writing=True) as file:
        head, removed = _settle(settings, file)
        if removed:
            head = _write(settings, file, head, {"event": MENDED, "removed_bytes": removed})
        return _write(settings, file, head, entry).number


def mend(settings: Settings) -> str:
    """Take in a line that was written just before a kill, remove a torn one; tells of the latter, `""` without."""
    if not settings.trail.exists():
        return ""
    with _locked(settings, writing=True) as file:
        head, removed = _settle(settings, file)
        if not removed:
            return ""
        _write(settings, file, head, {"event": MENDED, "removed_bytes": removed})
        return f"the audit trail ended in a torn line ({removed} bytes, no act rested on it): removed and recorded"


def last(settings: Settings) -> Head:
    """The present end of the trail."""
    with _locked(settings, writing=True) as file:
        return _settle(settings, file)[0]


def reseal(settings: Settings, former: Settings) -> None:
    """Seal the head anew after a change of key: it is proved under the key of `former` first.

    Raises:
        Damaged: the head is not what `former` wrote.
    """
    with _locked(settings, writing=True) as file:
        _write_head(settings, _settle(former, file)[0])


def renew(settings: Settings, entry: dict[str, Any]) -> int:
    """Go on after damage that somebody looked into: a line that names it all, chained to what the file ends with, and
    a new head. From then on the damage is a note of every check.

    Raises:
        HimsError: the trail is whole.
    """
    found = check(settings).damage
    if not found:
        raise HimsError("The audit trail is whole: there is nothing to renew.")
    with _locked(settings, writing=True) as file:
        file.seek(0)
        lines = _split(file.read())
        numbers = [parsed["number"] for line in lines if (parsed := parse(line)) is not None]
        with suppress(Damaged):  # that may be what is being renewed
            numbers.append(_read_head(settings).number)
        end = Head(max(numbers, default=0), hash_of(lines[-1]) if lines else FIRST)
        return _write(settings, file, end, {**entry, "event": RENEWED, "damage": found}).number


def read_lines(settings: Settings) -> list[bytes]:
    """The lines as they stand, unproved; none where there is no trail."""
    if not settings.trail.exists():
        return []
    with _locked(settings, writing=False) as file:
        return _split(file.read())


def _split(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def parse(line: bytes) -> dict[str, Any] | None:
    """A line as a record, None where it is none."""
    try:
        entry = json.loads(line)
        return entry if isinstance(entry["number"], int) and isinstance(entry["event"], str) else None
    except (ValueError, TypeError, KeyError):
        return None


def hash_of(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def is_ours(settings: Settings, entry: dict[str, Any]) -> bool:
    """Does a line's own seal hold under the present key?"""
    plain = {name: value for name, value in entry.items() if name != seal.SEAL}
    return entry.get(seal.SEAL) == seal.seal_of(settings, LINE, plain)


def check(settings: Settings) -> Checked:
    """Read the whole trail: every line's place and chain, and its end against the head.

    Without the key the chain is checked all the same, and a note says that the head's seal was not.
    """
    found = Checked()
    if settings.trail.exists():
        with _locked(settings, writing=False) as file:  # one moment for both: no line is written in between
            lines, head = _split(file.read()), _head_to_check(settings, found)
    else:
        lines, head = [], _head_to_check(settings, found) if settings.trail_head.exists() else None
    found.lines = len(lines)
    before: str | None = FIRST
    expected = 1
    for place, line in enumerate(lines, start=1):
        if head is not None and expected > head.number:
            break
        entry = parse(line)
        if entry is None:
            found.damage.append(f"line {place} cannot be read")
            before, expected = None, expected + 1
            continue
        if entry["event"] == RENEWED:  # what it names is answered for; what was done to the lines before since is not
            named, expected = entry.get("damage", []), entry["number"]
            found.notes += [f"before line {place}, answered for by {entry.get('by')}: {text}" for text in named]
            found.damage = [text for text in found.damage if text not in named]
        found.damage += _misplaced(place, entry, expected, before)
        before, expected = hash_of(line), entry["number"] + 1
    else:
        place = len(lines) + 1
    if head is not None:
        _check_end(settings, found, lines[place - 1 :], expected - 1, before, head)
    return found


def _misplaced(place: int, entry: dict[str, Any], expected: int, before: str | None) -> list[str]:
    if entry["number"] > expected:
        return [f"lines {expected} to {entry['number'] - 1} are missing before line {place}"]
    if entry["number"] < expected:
        return [f"line {place} is number {entry['number']} again, where {expected} must stand"]
    if before is not None and entry.get("before") != before:
        return [f"line {place - 1} was changed after it was written" if place > 1 else "line 1 is not the first"]
    return []


def _check_end(
    settings: Settings, found: Checked, ahead: list[bytes], number: int, before: str | None, head: Head
) -> None:
    """Hold the last line against the head, and judge what stands behind it: a line that a kill left before its head, a
    torn one, or somebody else's."""
    if number < head.number:
        found.damage.append(f"lines {number + 1} to {head.number} are missing at the end")
    elif number > head.number or before not in (None, head.sha256):
        found.damage.append(f"line {head.number}, the last, is not the one that was written")
    elif len(ahead) == 1 and parse(ahead[0]) is None:
        found.notes.append("behind the last line stands a torn one, as a power cut leaves it; the next act removes it")
    elif ahead and (len(ahead) > 1 or not _continues(settings, parse(ahead[0]), head)):
        found.damage.append(f"what stands behind line {head.number} was not written by this installation")


def _continues(settings: Settings, entry: dict[str, Any] | None, head: Head) -> bool:
    """Is this the one line that a kill may leave ahead of the head?"""
    if entry is None or entry["number"] != head.number + 1 or entry.get("before") != head.sha256:
        return False
    return is_ours(settings, entry)


def _head_to_check(settings: Settings, found: Checked) -> Head | None:
    try:
        seal.key_version(settings)
    except HimsError:
        found.notes.append("its end was not checked: no key here")
        return None
    if not settings.trail_head.exists():
        found.damage.append(f"its head {settings.trail_head} is missing")
        return None
    try:
        return _read_head(settings)
    except Damaged as error:
        found.damage.append(str(error))
        return None


def _read_head(settings: Settings) -> Head:
    path = settings.trail_head
    try:
        return Head(**seal.read_sealed(settings, path, HEAD))
    except TypeError:
        raise Damaged(path, "is no head of an audit trail") from None


@contextmanager
def _locked(settings: Settings, *, writing: bool) -> Iterator[IO[bytes]]:
    """The trail's file under a lock of its own, held for one line: a reader meets whole lines and their head."""
    if writing:
        settings.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(settings.trail, os.O_RDWR | os.O_CREAT, 0o600)
    else:
        descriptor = os.open(settings.trail, os.O_RDONLY)
    with os.fdopen(descriptor, "r+b" if writing else "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX if writing else fcntl.LOCK_SH)
        yield file


def _settle(settings: Settings, file: IO[bytes]) -> tuple[Head, int]:
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
        _write_head(settings, Head())  # before the first line: a trail without a head is never one of ours
    head = _read_head(settings)
    if size == head.size:
        return head, 0
    file.seek(0)
    content = file.read()
    line = content[head.size :].strip(b"\n")
    known = _split(content[: head.size])
    if not line or b"\n" in line or (head.number and (not known or hash_of(known[-1]) != head.sha256)):
        return head, 0  # what was cut or edited is written on from the head, so that it stays visible
    entry = parse(line)
    if entry is None:
        file.truncate(head.size)
        os.fsync(file.fileno())
        return head, len(content) - head.size
    if _continues(settings, entry, head):
        _end_line(file)
        head = Head(entry["number"], hash_of(line), file.seek(0, os.SEEK_END))
        _write_head(settings, head)
    return head, 0


def _end_line(file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.write(b"\n")


def _write(settings: Settings, file: IO[bytes], head: Head, entry: dict[str, Any]) -> Head:
    plain = json.loads(json.dumps({"number": head.number + 1, **entry, "before": head.sha256}, ensure_ascii=False))
    line = json.dumps(plain | {seal.SEAL: seal.seal_of(settings, LINE, plain)}, ensure_ascii=False).encode()
    _end_line(file)
    file.seek(0, os.SEEK_END)
    file.write(line + b"\n")
    file.flush()
    os.fsync(file.fileno())
    head = Head(head.number + 1, hash_of(line), file.tell())
    _write_head(settings, head)
    return head


def _write_head(settings: Settings, head: Head) -> None:
    folder = settings.trail_head.parent
    if settings.head_file is None:
        private_folder(folder)
    elif not folder.is_dir():
        raise HimsError(f"HIMS_AUDIT_HEAD lies in {folder}, which is not there. Mount its disk, or make the folder.")
    seal.write_sealed(settings, settings.trail_head, HEAD, asdict(head))
