"""When the last backup was made. Not here: making one (`hims_pipeline.backup`)."""

from contextlib import suppress
from datetime import datetime

from hims_pipeline.lake.files import write_json
from hims_pipeline.plain_file import read_json
from hims_pipeline.settings import Settings

RECORD = "backup.json"


def last_backup(settings: Settings) -> datetime | None:
    """When the last backup of this installation was finished; None where none is known."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return datetime.fromisoformat(read_json(settings.home / RECORD)["at"])
    return None


def note_backup(settings: Settings, at: datetime, folder: str) -> None:
    """Write down that a backup was finished."""
    write_json(settings.home / RECORD, {"at": at.isoformat(timespec="seconds"), "folder": folder}, 0o600)
