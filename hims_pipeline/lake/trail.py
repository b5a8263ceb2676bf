"""The audit trail as a file: numbered lines, each holding the hash of the one before and a seal, and their head.

    audit.jsonl   one JSON object a line: `number`, what `journal` says, `before`, `seal`
    audit.head    number and hash of the last line and the size of the trail up to it, sealed; kept elsewhere

A line is written before its head. So a kill leaves the trail at most one whole line ahead, which is taken in, or a torn
one, which no act has rested on yet and which the next line replaces. Whatever else the file and the head do not agree
in was done by somebody else. A line is always chained to the head and never to what the file happens to end with, so
that writing on never hides a cut. Here: what the format means, and its proof. Not here: how a line comes to the disk
(`trail_file`), and what is recorded, and by whom (`journal`).
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hims_pipeline.errors import Damaged, HimsError
from hims_pipeline.lake import seal
from hims_pipeline.lake.trail_file import (
    FIRST,
    Head,
    continues,
    hash_of,
    is_ours,
    mend_trail,
    open_trail,
    parse_line,
    read_head,
    split_line,
    write_head,
    write_line,
)
from hims_pipeline.settings import Settings

__all__ = [
    "Checked",
    "Head",
    "append",
    "check",
    "hash_of",
    "is_ours",
    "mend",
    "parse_line",
    "read_lines",
    "read_present_head",
    "renew",
    "reseal",
]  # fmt: skip

MENDED, RENEWED = "audit trail mended", "audit trail renewed"


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
    with open_trail(settings, writing=True) as file:
        head, removed = mend_trail(settings, file)
        if removed:
            head = write_line(settings, file, head, {"event": MENDED, "removed_bytes": removed})
        return write_line(settings, file, head, entry).number


def mend(settings: Settings) -> str:
    """Take in a line that was written just before a kill, remove a torn one; tells of the latter, `""` without."""
    if not settings.trail.exists():
        return ""
    with open_trail(settings, writing=True) as file:
        head, removed = mend_trail(settings, file)
        if not removed:
            return ""
        write_line(settings, file, head, {"event": MENDED, "removed_bytes": removed})
        return f"the audit trail ended in a torn line ({removed} bytes, no act rested on it): removed and recorded"


def read_present_head(settings: Settings) -> Head:
    """The present end of the trail."""
    with open_trail(settings, writing=True) as file:
        return mend_trail(settings, file)[0]


def reseal(settings: Settings, former: Settings) -> None:
    """Seal the head anew after a change of key: it is proved under the key of `former` first.

    Raises:
        Damaged: the head is not what `former` wrote.
    """
    with open_trail(settings, writing=True) as file:
        write_head(settings, mend_trail(former, file)[0])


def renew(settings: Settings, entry: dict[str, Any]) -> int:
    """Go on after damage that somebody looked into: a line that names it all, chained to what the file ends with, and
    a new head. From then on the damage is a note of every check.

    Raises:
        HimsError: the trail is whole.
    """
    damage = check(settings).damage
    if not damage:
        raise HimsError("The audit trail is whole: there is nothing to renew.")
    with open_trail(settings, writing=True) as file:
        file.seek(0)
        lines = split_line(file.read())
        numbers = [parsed["number"] for line in lines if (parsed := parse_line(line)) is not None]
        with suppress(Damaged):  # that may be what is being renewed
            numbers.append(read_head(settings).number)
        end = Head(max(numbers, default=0), hash_of(lines[-1]) if lines else FIRST)
        return write_line(settings, file, end, {**entry, "event": RENEWED, "damage": damage}).number


def read_lines(settings: Settings) -> list[bytes]:
    """The lines as they stand, unproved; none where there is no trail."""
    if not settings.trail.exists():
        return []
    with open_trail(settings, writing=False) as file:
        return split_line(file.read())


def check(settings: Settings) -> Checked:
    """Read the whole trail: every line's place and chain, and its end against the head.

    Without the key the chain is checked all the same, and a note says that the head's seal was not.
    """
    checked = Checked()
    if settings.trail.exists():
        with open_trail(settings, writing=False) as file:  # one moment for both: no line is written in between
            lines, head = split_line(file.read()), _head_to_check(settings, checked)
    else:
        lines, head = [], _head_to_check(settings, checked) if settings.trail_head.exists() else None
    checked.lines = len(lines)
    before: str | None = FIRST
    expected = 1
    for place, line in enumerate(lines, start=1):
        if head is not None and expected > head.number:
            break
        entry = parse_line(line)
        if entry is None:
            checked.damage.append(f"line {place} cannot be read")
            before, expected = None, expected + 1
            continue
        if entry["event"] == RENEWED:  # what it names is answered for; what was done to the lines before since is not
            named, expected = entry.get("damage", []), entry["number"]
            checked.notes += [f"before line {place}, answered for by {entry.get('by')}: {text}" for text in named]
            checked.damage = [text for text in checked.damage if text not in named]
        checked.damage += _find_misplaced(place, entry, expected, before)
        before, expected = hash_of(line), entry["number"] + 1
    else:
        place = len(lines) + 1
    if head is not None:
        _check_end(settings, checked, lines[place - 1 :], expected - 1, before, head)
    return checked


def _find_misplaced(place: int, entry: dict[str, Any], expected: int, before: str | None) -> list[str]:
    if entry["number"] > expected:
        return [f"lines {expected} to {entry['number'] - 1} are missing before line {place}"]
    if entry["number"] < expected:
        return [f"line {place} is number {entry['number']} again, where {expected} must stand"]
    if before is not None and entry.get("before") != before:
        return [f"line {place - 1} was changed after it was written" if place > 1 else "line 1 is not the first"]
    return []


def _check_end(
    settings: Settings, checked: Checked, ahead: list[bytes], number: int, before: str | None, head: Head
) -> None:
    """Hold the last line against the head, and judge what stands behind it: a line that a kill left before its head, a
    torn one, or somebody else's."""
    if number < head.number:
        checked.damage.append(f"lines {number + 1} to {head.number} are missing at the end")
    elif number > head.number or before not in (None, head.sha256):
        checked.damage.append(f"line {head.number}, the last, is not the one that was written")
    elif len(ahead) == 1 and parse_line(ahead[0]) is None:
        checked.notes.append(
            "behind the last line stands a torn one, as a power cut leaves it; the next act removes it"
        )
    elif ahead and (len(ahead) > 1 or not continues(settings, parse_line(ahead[0]), head)):
        checked.damage.append(f"what stands behind line {head.number} was not written by this installation")


def _head_to_check(settings: Settings, checked: Checked) -> Head | None:
    try:
        seal.key_version(settings)
    except HimsError:
        checked.notes.append("its end was not checked: no key here")
        return None
    if not settings.trail_head.exists():
        checked.damage.append(f"its head {settings.trail_head} is missing")
        return None
    try:
        return read_head(settings)
    except Damaged as error:
        checked.damage.append(str(error))
        return None
