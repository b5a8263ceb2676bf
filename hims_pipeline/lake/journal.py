"""The audit trail: append-only JSON lines, each holding the hash of the line before. Ids, counts, people and reasons;
never data."""

import fcntl
import getpass
import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any

from hims_pipeline.settings import Settings

FIRST = "0" * 64


def _lines(settings: Settings) -> list[str]:
    path = settings.home / "audit.jsonl"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def record(settings: Settings, event: str, **facts: Any) -> None:
    """Append one event, durably; a lock of its own keeps the chain whole, since some events do not wait for a night."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "audit.jsonl").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = _lines(settings)
        before = hashlib.sha256(lines[-1].encode()).hexdigest() if lines else FIRST
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"at": now, "by": getpass.getuser(), "event": event, **facts}
        file.write(json.dumps(entry | {"before": before}, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def broken_at(settings: Settings) -> int | None:
    """Number of the first line whose chain does not hold, None where the whole trail does."""
    before = FIRST
    for number, line in enumerate(_lines(settings), start=1):
        if json.loads(line)["before"] != before:
            return number
        before = hashlib.sha256(line.encode()).hexdigest()
    return None
