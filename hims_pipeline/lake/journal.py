"""The audit trail: who did what that changes what counts or what readers get. Ids, counts, people and reasons; no data.

An act is written down before it is done, and again when it is: `begun`, then `done` or `failed`. What a kill left begun
is finished or undone by `hims_pipeline.reconcile` at the next start, which writes down which of the two. Not here: the
file and its proof (`trail`), and how each act is finished.
"""

import contextlib
import os
import pwd
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hims_pipeline.errors import HimsError
from hims_pipeline.lake import reserve, trail
from hims_pipeline.lake.lock import acts_lock
from hims_pipeline.settings import Settings

# What is recorded, and nothing else by these names.
RECEIVED, JUDGED, WITHDRAWN, REINSTATED = "delivery received", "batch judged", "batch withdrawn", "batch reinstated"
LINKED, RESEALED = "registers linked", "delivery resealed"
ACCEPTED, REJECTED, RESUBMITTED = "batch accepted", "batch rejected", "delivery resubmitted"
PUBLISHED, USED, RETIRED = "release published", "release used", "release retired"
POINTER_MENDED = "pointer mended"
ASKED = "asked for in the UI"

# What an intent names at least; a line that was changed so that it does not is no intent, and `trail.check` tells it.
_NAMED = dict.fromkeys((RECEIVED, JUDGED, WITHDRAWN, REINSTATED, ACCEPTED, REJECTED), "batch")
_NAMED |= dict.fromkeys((PUBLISHED, USED, RETIRED), "release")

BEGUN, DONE, FAILED, UNDONE, INTERRUPTED = "begun", "done", "failed", "undone", "interrupted"
OWN = frozenset({"number", "at", "by", "login", "event", "before", "seal"})
NOBODY = 4294967295  # what the kernel says of a process that no login stands behind


def record(settings: Settings, event: str, **facts: Any) -> int:
    """Append one event, durably; returns its line's number.

    Raises:
        Damaged: the trail's head is missing or is not what we wrote.
        HimsError: the installation's key cannot be had.
    """
    if own := OWN & facts.keys():
        raise ValueError(f"a line of the audit trail says {', '.join(own)} by itself")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return trail.append(settings, {"at": at, **acting_account(), "event": event, **facts})


@contextlib.contextmanager
def act(
    settings: Settings, event: str, on_failure: Callable[[], str] = lambda: FAILED, **facts: Any
) -> Iterator[dict[str, Any]]:
    """Do something that must be known, under the acts' lock: its intent is on disk before the body runs.

    Args:
        on_failure: puts right what a body that failed has done halfway, and returns the state that was reached.

    Yields:
        A dictionary; what the body puts into it stands in the line that says `done`.

    Raises:
        HimsError: it failed and could not be put right either, so that it stays begun.
    """
    with acts_lock(settings, event), reserve.lend(settings):
        number = _begin(settings, event, facts)
        outcome: dict[str, Any] = {}
        try:
            yield outcome
            record(settings, event, state=DONE, of=number, **outcome)
        except BaseException as error:
            if isinstance(error, OSError) and _is_done(settings, number):
                return  # the line stands; what failed is making its head's new name durable, which a kill survives
            try:
                record(settings, event, state=on_failure(), of=number, why=type(error).__name__)
            except OSError as second:
                raise _refuse_begun(event, second) from error
            raise


def _begin(settings: Settings, event: str, facts: dict[str, Any]) -> int:
    """Write an intent down; where the disk fails while it does, it is no intent, or is told to be one."""
    try:
        return record(settings, event, state=BEGUN, **facts)
    except OSError as error:
        with contextlib.suppress(OSError):
            last = entries(settings)[-1:]
            if last and (last[0]["event"], last[0].get("state")) == (event, BEGUN):
                raise _refuse_begun(event, error) from error
        raise


def _is_done(settings: Settings, number: int) -> bool:
    with contextlib.suppress(OSError):
        return any(one.get("of") == number and one.get("state") == DONE for one in entries(settings))
    return False


def _refuse_begun(event: str, error: OSError) -> HimsError:
    return HimsError(
        f"{event}: begun, and for want of a working disk neither finished nor taken back ({error.strerror}). Once it"
        " works, the next command that changes something finishes it first, and says so."
    )


def entries(settings: Settings) -> list[dict[str, Any]]:
    """All lines that can be read, unproved; `trail.check` proves them."""
    return [entry for line in trail.read_lines(settings) if (entry := trail.parse_line(line)) is not None]


def line_hash(settings: Settings, number: int) -> str | None:
    """SHA-256 of the line with this number, None where there is none."""
    numbered = ((trail.parse_line(line), line) for line in trail.read_lines(settings))
    return next((trail.hash_of(line) for entry, line in numbered if entry and entry["number"] == number), None)


def acts(settings: Settings) -> list[tuple[dict[str, Any], str]]:
    """Every act's intent with the last state that was written down of it, in the order of their intents."""
    by_number: dict[int, tuple[dict[str, Any], str]] = {}
    for entry in entries(settings):
        if entry.get("state") == BEGUN and _NAMED.get(entry["event"], "event") in entry:
            by_number[entry["number"]] = (entry, BEGUN)
        elif entry.get("of") in by_number and "state" in entry:
            by_number[entry["of"]] = (by_number[entry["of"]][0], entry["state"])
    return list(by_number.values())


def done(settings: Settings, *events: str) -> list[dict[str, Any]]:
    """Intents of acts that were carried out, of these kinds."""
    return [intent for intent, state in acts(settings) if state == DONE and intent["event"] in events]


def close(settings: Settings, intent: dict[str, Any], state: str, note: str) -> None:
    """Write down what became of an act that was left begun."""
    record(settings, intent["event"], state=state, of=intent["number"], note=note)


def renew(settings: Settings, reason: str, **facts: Any) -> int:
    """Go on after damage to the trail that somebody looked into and answers for; returns the new line's number.

    Raises:
        HimsError: no reason, or the trail is whole.
    """
    if not reason.strip():
        raise HimsError("Say what was found out about the damage, with --reason.")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return trail.renew(settings, {"at": at, **acting_account(), "reason": reason.strip(), **facts})


def acting_account() -> dict[str, str]:
    """The account that acts, as the kernel knows it; and where another one logged in (sudo, su), that one too.

    Variables of the environment such as LOGNAME or SUDO_USER are whatever the caller sets, so they are not asked.
    """
    account = {"by": _account(os.getuid())}
    try:
        login = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return account
    return account if login in (NOBODY, os.getuid()) else account | {"login": _account(login)}


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
