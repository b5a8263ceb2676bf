"""The weekly digest: how the nights went, what came out, what arrived, what is open. Counts and names of ours."""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hims_pipeline import intake
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.lake import journal
from hims_pipeline.release import store
from hims_pipeline.settings import Settings
from hims_pipeline.watch import backups, nights
from hims_pipeline.watch.alert_book import Book
from hims_pipeline.watch.alert_kinds import KINDS

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK = timedelta(days=7)
HOUR = 6  # of the digest's day, after the night


def is_due(settings: Settings, book: Book, now: datetime) -> bool:
    """Whether the digest of this week is still to be written: once, on its day or as soon after as anything runs."""
    observatory = load_observatory(settings.data)
    if observatory.alerts.digest is None:
        return False
    here = now.astimezone(ZoneInfo(observatory.time_zone))
    back = (here.weekday() - DAYS.index(observatory.alerts.digest)) % 7
    due = here.replace(hour=HOUR, minute=0, second=0, microsecond=0) - timedelta(days=back)
    due = due if due <= here else due - WEEK
    begun = nights.nights(settings)
    known = bool(begun) and datetime.fromisoformat(begun[0].begun) < due
    return known and (not book.digest or datetime.fromisoformat(book.digest) < due)


def write_digest(settings: Settings, book: Book, now: datetime) -> tuple[str, str]:
    """Subject and text of the digest of the seven days before now."""
    name = load_observatory(settings.data).name.en
    since = now - WEEK
    lines = [
        f"{since:%Y-%m-%d} to {now:%Y-%m-%d}", "",
        f"Nights:      {_nights(settings, since, now)}",
        f"Releases:    {_releases(settings, since)}",
        f"Deliveries:  {_deliveries(settings, since)}",
        f"Backup:      {_backup(settings)}", "",
    ]  # fmt: skip
    still = [alert for alert in book.alerts if alert.is_open]
    lines.append(f"Open alerts: {len(still)}")
    for one in still:
        seen = f"; {one.acknowledged['by']} sees to it" if one.acknowledged else ""
        lines.append(f"  {one.id}  {KINDS[one.kind].title}, since {one.since}{seen}")
        lines.append(f"         {one.what.split(chr(10))[0]}")
    return f"[HIMS {settings.env}] The week of {now:%Y-%m-%d} ({name})", "\n".join(lines) + "\n"


def _nights(settings: Settings, since: datetime, now: datetime) -> str:
    week = [night for night in nights.nights(settings) if datetime.fromisoformat(night.begun) >= since]
    failed = sum(nights.has_failed(one, now) for one in week)
    missed = sum(due >= since for due, _ in nights.find_missed(settings, now))
    well = sum(one.well for one in week)
    return f"{well} well, {failed} failed, {missed} missed"


def _releases(settings: Settings, since: datetime) -> str:
    made = [one for one in journal.done(settings, journal.PUBLISHED) if datetime.fromisoformat(one["at"]) >= since]
    now, _, _ = store.read_state(settings)
    return f"{', '.join(one['release'] for one in made) or 'none new'}; current is {now or 'none'}"


def _deliveries(settings: Settings, since: datetime) -> str:
    came = [
        one for one in intake.states(settings) if one.received_at and datetime.fromisoformat(one.received_at) >= since
    ]
    counts = Counter(one.state for one in came)
    return f"{len(came)} new" + "".join(f", {count} {state}" for state, count in sorted(counts.items()))


def _backup(settings: Settings) -> str:
    last = backups.last_backup(settings)
    return f"{last:%Y-%m-%d %H:%M}" if last else "none known"
