"""What is wrong with an installation now, found anew from what lies on its disk, each time it is asked.

So nothing has to be reported for it to be known: whoever looks, and however often, finds the same conditions. No file
of data is read, and nothing is changed. Not here: files that are read again whole (`scrub`, whose last findings are
used), when sources are overdue (`overdue`), and whether something was told before (`alert_book`).
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hims_pipeline.build_preconditions import room_for_a_build
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.errors import Damaged
from hims_pipeline.failures import explain
from hims_pipeline.intake.pending import mending_advice
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.held_back import read_held_back
from hims_pipeline.release import holds, rules, store
from hims_pipeline.settings import Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.watch import backups, nights, overdue
from hims_pipeline.watch.alert_kinds import Condition, instant

HEARTBEAT, HEARTBEAT_SECONDS = "heartbeat", 900
FIRST_RELEASE_WITHIN = timedelta(hours=36)
# What differs from night to night in a reason that is the same.
PASSING = re.compile(r"\b(?:process \d+|run [0-9a-f]{8}|[\d.,]+ (?:MB|GB|bytes|seconds))")


def look_for_trouble(settings: Settings, now: datetime | None = None) -> list[Condition]:
    """All that holds now and people are to know. What cannot be looked at is itself a condition."""
    now = now or datetime.now(UTC)
    conditions: list[Condition] = []
    for part in PARTS:
        try:
            conditions += part(settings, now)
        except Exception as error:
            subject = f"{part.__name__.strip('_')} {type(error).__name__}"
            conditions.append(Condition("installation-unusable", subject, explain(error), instant(now)))
    return conditions


def _nights(settings: Settings, now: datetime) -> Iterator[Condition]:
    for due, caught_up in nights.find_missed(settings, now):
        what = f"No night began at {due:%Y-%m-%d %H:%M %Z}" + (", a later one did." if caught_up else ".")
        yield Condition("night-missed", instant(due), what, instant(due), over=caught_up)
    past = [night for night in nights.nights(settings) if night.ended or nights.is_gone(night, now)]
    if not past or not nights.has_failed(past[-1], now):
        return
    first = past[-1]
    for one in reversed(past):
        if not nights.has_failed(one, now):
            break
        first = one
    reasons = past[-1].reasons or ("Its process is gone: it was ended from outside, or the machine was.",)
    since = first.ended or first.begun
    yield Condition("night-failed", _condition_name(reasons), "\n".join(reasons), since)


def _condition_name(reasons: Iterable[str]) -> str:
    """A name for reasons, the same tomorrow when they are the same."""
    text = "\n".join(PASSING.sub("#", reason) for reason in sorted(reasons))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _releases(settings: Settings, now: datetime) -> Iterator[Condition]:
    try:
        release = store.current_release(settings)
        if release is not None:
            release.manifest()
            return
    except Damaged as error:
        yield Condition("release-damaged", "current", str(error), instant(now))
        return
    started = next((entry.get("at") for entry in journal.entries(settings)), None)
    waited = started and now - datetime.fromisoformat(started) > FIRST_RELEASE_WITHIN
    if waited or any(night.ended for night in nights.nights(settings)):
        yield Condition("no-release", "", "Nothing has been published here.", started or instant(now))


def _scrub_findings(settings: Settings, now: datetime) -> Iterator[Condition]:
    """What scrubs found, back to the last that read everything: a smaller one does not clear what it did not read."""
    reasons: dict[str, str] = {}
    for one in reversed([one for one in journal.entries(settings) if one["event"] == "scrubbed"]):
        reasons |= dict.fromkeys(one["damaged"], one["at"])
        if one["parts"] == one["of"]:
            break
    for line, at in reasons.items():
        kind = "release-damaged" if line.startswith("releases") else "record-damaged"
        yield Condition(kind, _condition_name([line]), line, at)
    for damaged in landing.damaged_records(settings):
        batch = landing.batch_of(damaged)
        yield Condition("record-damaged", batch, str(damaged), instant(now), mending_advice(damaged))


def _deliveries(settings: Settings, _now: datetime) -> Iterator[Condition]:
    """Refused, and neither withdrawn nor followed by another delivery of the period that was accepted."""
    last: dict[tuple[str, str], landing.Delivery] = {}
    for delivery in sorted(landing.deliveries(settings), key=lambda delivery: delivery.sequence):
        verdict = None if delivery.withdrawn else batches.prove_batch(settings, delivery).verdict
        if verdict is not None:
            last[delivery.source, delivery.period] = delivery
    for delivery in last.values():
        verdict = batches.prove_batch(settings, delivery).verdict
        if verdict is not None and not verdict.accepted:
            first = verdict.reasons[0].sentence() if verdict.reasons else "Its rules were not all evaluated."
            more = f" And {len(verdict.reasons) - 1} more, in the letter." if len(verdict.reasons) > 1 else ""
            yield Condition(
                "delivery-refused", delivery.batch, f"{delivery.batch}: {first}{more}", verdict.judged_at,
                f"Send the letter (in full: `hims batch letter {delivery.batch}`); ask for the whole delivery again.",
                delivery.batch,
            )  # fmt: skip


def _find_held(settings: Settings, now: datetime) -> Iterator[Condition]:
    try:
        yield from _find_waiting(settings)
    except Damaged as error:
        yield Condition("record-damaged", error.path.name, str(error), instant(now))


def _find_waiting(settings: Settings) -> Iterator[Condition]:
    if (waiting := rules.read_rules_hold(settings)) is not None:
        what = "\n".join(["These rules are gone, weaker or changed:", *waiting["rules"]])
        yield Condition("release-held", waiting["difference"][:12], what, waiting["since"])
    if (moved := holds.read_hold(settings)) is not None:
        page = settings.approvals / holds.PAGE
        what = "\n".join(
            [f"Figures moved by more than is explained since {moved['since']}:", *moved["first"], f"{page}"]
        )
        todo = (
            f"Read {page} or `hims release show --held`. `hims release accept --reason …` publishes it; or withdraw the"
            " batch or ask for a correction, which the next night publishes."
        )
        yield Condition("release-held", moved["digest"][:12], what, moved["held_at"], todo)


def _find_held_back(settings: Settings, _now: datetime) -> Iterator[Condition]:
    for batch, why in read_held_back(settings).items():
        yield Condition("source-held-back", batch, f"{batch}: {why['reason']}", why["since"])


def _find_broken(settings: Settings, now: datetime) -> Iterator[Condition]:
    with tempfile.TemporaryDirectory() as elsewhere:  # what is tried there is tried beside the installation
        broken = broken_sources(replace(settings, home=Path(elsewhere)))
    for source, problem in broken.items():
        yield Condition("source-broken", f"{source} {_condition_name([problem])}", f"{source}: {problem}", instant(now))


def _disks(settings: Settings, now: datetime) -> Iterator[Condition]:
    share = load_observatory(settings.data).alerts.disk_free_percent / 100
    for place in dict.fromkeys((settings.home, Path(tempfile.gettempdir()))):
        if not place.exists():
            continue
        disk = shutil.disk_usage(place)
        least = max(share * disk.total, 2 * room_for_a_build(settings) if place == settings.home else 0)
        if disk.free < least:
            what = f"The disk of {place} has {disk.free / 1e9:,.1f} GB left; it should have {least / 1e9:,.1f} GB."
            yield Condition("disk-filling", str(place), what, instant(now))


def _lock(settings: Settings, now: datetime) -> Iterator[Condition]:
    """Somebody holds the installation for longer than any night takes. The kernel frees locks of the dead, so whoever
    holds one lives."""
    hours = load_observatory(settings.data).alerts.lock_hours
    path = settings.lock_file
    if not path.exists() or not is_locked(path):
        return
    taken = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if now - taken > timedelta(hours=hours):
        holder = path.read_text(encoding="utf-8")[:200]
        yield Condition("lock-held", holder, f"It is held by {holder}, for more than {hours} hours.", instant(taken))


def is_locked(path: Path) -> bool:
    """Whether some process holds a file's lock, without trying for it: a try would be in the way of those who do."""
    state = path.stat()
    name = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return False  # only Linux tells
    return any("FLOCK" in line and name in line.split() for line in lines)


def beat(settings: Settings) -> None:
    """Write down that Dagster's daemon and code server are alive: called by what the daemon runs every few minutes."""
    (settings.dagster_home / HEARTBEAT).touch(mode=0o600)


def heartbeat(settings: Settings) -> datetime | None:
    """When the daemon last gave a sign; None where it never ran."""
    path = settings.dagster_home / HEARTBEAT
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None


def _daemon(settings: Settings, now: datetime) -> Iterator[Condition]:
    last = heartbeat(settings)
    if last and nights.is_scheduled(settings) and (now - last).total_seconds() > HEARTBEAT_SECONDS:
        yield Condition("daemon-silent", "", f"Its last sign was at {instant(last)}.", instant(last))


def _backup(settings: Settings, now: datetime) -> Iterator[Condition]:
    days = load_observatory(settings.data).alerts.backup_within_days
    if days is None:
        return
    last = backups.last_backup(settings)
    started = next((entry.get("at") for entry in journal.entries(settings)), None)
    since = last or (datetime.fromisoformat(started) if started else None)
    if since and now - since > timedelta(days=days):
        what = f"The last backup was made on {last:%Y-%m-%d}." if last else "No backup was ever made."
        yield Condition("backup-old", "", f"{what} One every {days} days is asked for.", instant(since))


def _overdue(settings: Settings, now: datetime) -> Iterable[Condition]:
    zone = ZoneInfo(load_observatory(settings.data).time_zone)
    return overdue.find_overdue(settings, now.astimezone(zone).date())


PARTS: tuple[Callable[[Settings, datetime], Iterable[Condition]], ...] = (
    _nights, _releases, _scrub_findings, _deliveries, _find_held, _find_held_back, _find_broken, _overdue, _disks,
    _lock, _daemon, _backup,
)  # fmt: skip
