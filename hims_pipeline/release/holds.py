"""A release that is held since figures moved by more than is explained, and the word of a person that lets it out.

    approvals/held_release.json        what a held release waits for: movements, and what changed
    approvals/held_release.html        the same for people to read, in the observatory's languages
    approvals/movements-<digest>-<uid>.json   an account's word on these movements

A word is good for exactly the movements that it names, with their values before and after: a night that is to publish
these, or fewer of them, needs no other; one that is to publish a corrected delivery needs none. Who gave it is the
owner of its file, whom the kernel knows. Not here: what moved (`movements`) and how the page looks (`held_page`).
"""

import hashlib
import json
import os
import pwd
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hims_pipeline.errors import Damaged, HimsError, ReleaseError
from hims_pipeline.lake import journal
from hims_pipeline.lake.files import write_json, write_text
from hims_pipeline.plain_file import read_json
from hims_pipeline.privacy.file_modes import share
from hims_pipeline.release import held_page
from hims_pipeline.release.hold_records import read_waiting, remove_waiting
from hims_pipeline.release.movements import Movement
from hims_pipeline.release.revision import Revision, told_changes
from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings

RECORD, PAGE = "held_release.json", "held_release.html"
FIRST = 8  # movements that an error and an alert name


def require_explained(
    settings: Settings, revision: Revision, previous: Release | None, database: Path, inputs_sha256: str
) -> list[dict[str, Any]]:
    """Let a candidate pass whose movements are within their limits, or were accepted by a person.

    Returns:
        The words that it passes by: account, uid, reason.

    Raises:
        ReleaseError: it is held; names the first movements, the page, and what to do.
    """
    if not revision.beyond or previous is None:
        return []
    wanted = {one.digest for one in revision.beyond}
    words = [word for word in _words(settings) if wanted & set(word["movements"])]
    if wanted <= {digest for word in words for digest in word["movements"]}:
        explanations = [{name: word[name] for name in ("account", "uid", "reason")} for word in words]
        journal.record(
            settings,
            "movements accepted",
            since=revision.since,
            movements=_digest(wanted),
            codes=revision.codes,
            words=explanations,
        )
        return explanations
    _hold(settings, revision, previous, database, inputs_sha256)
    first = "\n  ".join(held_page.page_line(settings, one) for one in roll_up(revision.beyond)[:FIRST])
    raise ReleaseError(
        f"Held: more moved since {revision.since} than is known to have changed "
        f"(movements: {len(revision.beyond)}):\n  "
        f"{first}\nRead {settings.approvals / PAGE}, or `hims release show --held`. If it is right, `hims release "
        "accept --reason …` publishes it; if not, withdraw the batch or ask for a correction: the next night takes it."
    )


def roll_up(movements: Sequence[Movement]) -> list[Movement]:
    """Of movements that are of the same figure in several periods the first, which is the largest."""
    first: dict[tuple[str, ...], Movement] = {}
    for one in movements:
        first.setdefault((one.measure, one.indicator, one.source, one.area, one.about), one)
    return list(first.values())


def _hold(settings: Settings, revision: Revision, previous: Release, database: Path, inputs_sha256: str) -> None:
    digest = _digest({one.digest for one in revision.beyond})
    known: dict[str, Any] = {}
    with suppress(Damaged):  # it is written anew
        known = read_hold(settings) or {}
    record = {
        "movements": [asdict(one) | {"digest": one.digest} for one in revision.beyond],
        "digest": digest,
        "since": revision.since,
        "inputs_sha256": inputs_sha256,
        "held_at": known["held_at"] if known.get("digest") == digest else _current_time(),
        "changed": told_changes(revision.changes),
        "first": [held_page.page_line(settings, one) for one in roll_up(revision.beyond)[:FIRST]],
        "uid": os.getuid(),
    }
    share(settings, settings.approvals)
    curves = held_page.curves(settings, previous.public / "warehouse.duckdb", database, revision.beyond)
    page = held_page.page(settings, record, revision.beyond, curves)
    write_text(settings.approvals / PAGE, page, 0o640)
    write_json(settings.approvals / RECORD, record, mode=0o640)
    journal.record(settings, "release held", difference=digest, codes=revision.codes, movements=len(revision.beyond))


def read_hold(settings: Settings) -> dict[str, Any] | None:
    """What a held release waits for; None where none is.

    Raises:
        Damaged: what lies there is no such record.
        HimsError: it cannot be read by this account.
    """
    needed = {"movements", "digest", "since", "held_at", "first"}
    return read_waiting(settings.approvals / RECORD, needed, "who accepts is of the staff's group")


def let_go(settings: Settings) -> None:
    """Take record, page and words away: a release is out, or what was held is no longer wanted."""
    for path in (settings.approvals / RECORD, settings.approvals / PAGE, *settings.approvals.glob("movements-*.json")):
        remove_waiting(path)


def accept_held(settings: Settings, reason: str) -> dict[str, Any]:
    """Give this account's word on the movements that a release is held for; returns the record of it.

    Raises:
        HimsError: nothing is held, no reason, or this account cannot write there.
    """
    waiting = read_hold(settings)
    if waiting is None:
        raise HimsError("No release is held for what moved. (For rules that are less: `hims rules show`.)")
    if not reason.strip():
        raise HimsError("Say why, with --reason: it stands in the release notes and in the audit trail.")
    path = settings.approvals / f"movements-{waiting['digest'][:16]}-{os.getuid()}.json"
    word = {
        "movements": [one["digest"] for one in waiting["movements"]],
        "reason": reason.strip(),
        "at": _current_time(),
    }
    try:
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:  # noqa: PTH123
            os.fchmod(file.fileno(), 0o644)  # whatever the umask: the night, of another account, reads it
            json.dump(word, file)
    except OSError as error:
        raise HimsError(f"{path} cannot be written ({error.strerror}): who accepts is of the staff's group.") from None
    return waiting


def _words(settings: Settings) -> list[dict[str, Any]]:
    """The words that were given, each with its account; what is no word is left."""
    words = []
    for path in sorted(settings.approvals.glob("movements-*.json")):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            word, uid = read_json(path), path.lstat().st_uid
            if str(word["reason"]).strip() and all(isinstance(one, str) for one in word["movements"]):
                words.append({**word, "reason": str(word["reason"]), "uid": uid, "account": _account(uid)})
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return words


def _digest(digests: set[str]) -> str:
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def _current_time() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
