"""How each night began and ended, a small file each, written by whatever runs it: the command line or Dagster.

    nights/<begun>-<run>.json   {"run", "process", "begun", "ended", "well", "reasons", "check"}

So a watchdog knows of a night without asking Dagster: one that failed, one whose process is gone, and one that never
began. Not here: what follows from that (`look`).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cronsim import CronSim

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.files import private_folder, write_text
from hims_pipeline.plain_file import checked_text, read_checked
from hims_pipeline.processes import is_running, token
from hims_pipeline.settings import Settings
from hims_pipeline.watch.alert_kinds import instant

KEPT = 800  # nights: two years
QUIET_SECONDS = 600  # a step may be followed by nothing for a moment, until it is written down that the run has ended
EARLY = timedelta(minutes=10)  # a night that begins this much before its time is that night


@dataclass(frozen=True)
class Night:
    """One night. `ended` is empty while it runs; `last_sign` is when a step of it last ended."""

    run: str
    process: str
    begun: str
    ended: str = ""
    well: bool = False
    reasons: tuple[str, ...] = ()
    last_sign: str = ""

    @property
    def name(self) -> str:
        return f"{datetime.fromisoformat(self.begun).astimezone(UTC):%Y%m%dT%H%M%S}-{self.run[:8]}.json"


def begin(settings: Settings, run: str, now: datetime | None = None) -> None:
    """Write down that a night begins in this process; once is enough."""
    if _find(settings, run) is None:
        _write(settings, Night(run, token(os.getpid()), instant(now or datetime.now(UTC))))
        for path in sorted(settings.nights.glob("*.json"))[:-KEPT]:
            path.unlink()


def sign(settings: Settings, run: str, reason: str = "") -> None:
    """A step of a night has ended; with a reason, it failed."""
    if (night := _find(settings, run)) is None or night.ended:
        return
    reasons = (*night.reasons, reason) if reason and reason not in night.reasons else night.reasons
    _write(settings, replace(night, reasons=reasons, last_sign=instant(datetime.now(UTC))))


def end_night(
    settings: Settings, run: str, *, well: bool, reasons: Iterable[str] = (), now: datetime | None = None
) -> None:
    """Write down how a night ended; the first word on it counts."""
    if (night := _find(settings, run)) is None or night.ended:
        return
    all_reasons = tuple(dict.fromkeys([*night.reasons, *reasons]))
    _write(
        settings,
        replace(night, ended=instant(now or datetime.now(UTC)), well=well and not all_reasons, reasons=all_reasons),
    )


def nights(settings: Settings, last: int = KEPT) -> list[Night]:
    """The last nights, oldest first. A file that cannot be read is none, and its night counts as missed."""
    read_nights = []
    for path in sorted(settings.nights.glob("*.json"))[-last:] if settings.nights.is_dir() else ():
        if (night := _read(path)) is not None:
            read_nights.append(night)
    return sorted(read_nights, key=lambda night: datetime.fromisoformat(night.begun))


def is_gone(night: Night, now: datetime) -> bool:
    """Whether a night was ended from outside: its process is gone, and nobody wrote down how it ended."""
    if night.ended or is_running(night.process):
        return False
    return (now - datetime.fromisoformat(night.last_sign or night.begun)).total_seconds() > QUIET_SECONDS


def has_failed(night: Night, now: datetime) -> bool:
    """Did a night end otherwise than well, or without saying so?"""
    return is_gone(night, now) or bool(night.ended and not night.well)


def is_scheduled(settings: Settings) -> bool:
    """Whether nights are to begin by themselves in this environment."""
    return settings.env in load_observatory(settings.data).schedule.on_in


def last_due(settings: Settings, now: datetime) -> datetime:
    """When the last night was due, in the observatory's time zone."""
    due: datetime = next(_ticks(settings, now))
    return due


def find_missed(settings: Settings, now: datetime, days: int = 7) -> list[tuple[datetime, bool]]:
    """Times of the last days at which a night was due and none began until the next one was, oldest first; and whether
    one has begun since. Nothing was due before the first night that is known."""
    known = [datetime.fromisoformat(night.begun) for night in nights(settings)]
    if not known or not is_scheduled(settings):
        return []
    grace = timedelta(minutes=load_observatory(settings.data).alerts.night_grace_minutes)
    missed, following = [], now + EARLY
    for due in _ticks(settings, now):
        if due < max(known[0] - EARLY, now - timedelta(days=days)):
            break
        if due + grace < now and not any(due - EARLY <= begun < following - EARLY for begun in known):
            missed.append((due, any(begun >= due for begun in known)))
        following = due
    return missed[::-1]


def _ticks(settings: Settings, now: datetime) -> Iterator[datetime]:
    observatory = load_observatory(settings.data)
    return CronSim(observatory.schedule.cron, now.astimezone(ZoneInfo(observatory.time_zone)), reverse=True)


def _find(settings: Settings, run: str) -> Night | None:
    paths = sorted(settings.nights.glob(f"*-{run[:8]}.json")) if settings.nights.is_dir() else []
    return next((night for path in paths if (night := _read(path)) is not None and night.run == run), None)


def _read(path: Path) -> Night | None:
    with suppress(OSError, ValueError, TypeError, KeyError):
        record = read_checked(path)
        night = Night(**{**record, "reasons": tuple(record["reasons"])})
        datetime.fromisoformat(night.begun)
        return night
    return None


def _write(settings: Settings, night: Night) -> None:
    try:
        write_text(private_folder(settings.nights) / night.name, checked_text(asdict(night)), 0o600)
    except OSError as error:
        raise HimsError(f"{settings.nights} cannot be written: {error.strerror}.") from None
