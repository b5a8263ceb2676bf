"""The book of alerts: what was found, whom it was told, who has taken note, and messages that are still to be sent.

    alerts/book.json   replaced in one step, under the lock beside it

What is to be sent stands in it before it is sent, and leaves it when a channel has taken it: an alerter that dies in
between sends the same message again, under the same id. Not here: texts (`messages`) and sending (`channels`, `tell`).
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hims_pipeline.errors import HimsError
from hims_pipeline.lake import reserve
from hims_pipeline.lake.files import private_folder, write_text
from hims_pipeline.lake.journal import acting_account
from hims_pipeline.plain_file import checked_text, open_lock, read_checked
from hims_pipeline.settings import Settings
from hims_pipeline.watch.alert_kinds import KINDS, Condition, instant

BOOK, LOCK = "book.json", "book.lock"
SETTLED = timedelta(hours=1)
KEPT = timedelta(days=400)


@dataclass(frozen=True)
class Alert:
    """Something that people are told once.

    Args:
        id: by which people name it: `a0012`.
        key: kind and subject, the same while it is the same thing.
        gone: since when it was not found any more; `over`: when that was believed.
        queued: channel -> the message that tells it; `over_queued` the one that tells that it is over.
        acknowledged: `at`, `by`, `note` of who has taken note of it.
    """

    id: str
    key: str
    kind: str
    what: str
    since: str
    found: str
    todo: str = ""
    batch: str = ""
    gone: str = ""
    over: str = ""
    queued: dict[str, str] = field(default_factory=dict)
    over_queued: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return not self.over


@dataclass(frozen=True)
class Message:
    """What is to be sent through a channel. `facts` is the same for programs; `letters` holds a file name and a text
    each."""

    id: str
    channel: str
    made: str
    subject: str
    text: str
    facts: dict[str, Any] = field(default_factory=dict)
    letters: tuple[tuple[str, str], ...] = ()
    attempts: int = 0
    not_before: str = ""
    trouble: str = ""


@dataclass
class Book:
    """All alerts, oldest first, and the messages that are still to be sent."""

    alerts: list[Alert] = field(default_factory=list)
    outbox: list[Message] = field(default_factory=list)
    number: int = 0
    digest: str = ""

    def next_alert(self) -> str:
        self.number += 1
        return f"a{self.number:04d}"

    def put(self, alert: Alert) -> None:
        self.alerts = [alert if one.id == alert.id else one for one in self.alerts]


def read(settings: Settings) -> Book:
    """The book as it stands; an empty one where there is none.

    Raises:
        HimsError: it cannot be read.
    """
    path = settings.alerts / BOOK
    try:
        record = read_checked(path)
        alerts = [Alert(**one) for one in record["alerts"]]
        outbox = [Message(**{**one, "letters": tuple(map(tuple, one["letters"]))}) for one in record["outbox"]]
        return Book(alerts, outbox, int(record["number"]), str(record["digest"]))
    except FileNotFoundError:
        return Book()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise HimsError(
            f"{path} cannot be read ({type(error).__name__}). Move it away: what still holds is told once more."
        ) from None


def write_book(settings: Settings, book: Book) -> None:
    """Put the book in the place of the former one, durably."""
    record = {
        "number": book.number,
        "digest": book.digest,
        "alerts": [asdict(alert) for alert in book.alerts],
        "outbox": [asdict(one) for one in book.outbox],
    }
    try:
        with reserve.lend(settings):  # a full disk is itself to be told
            write_text(private_folder(settings.alerts) / BOOK, checked_text(record), 0o600)
    except OSError as error:
        raise HimsError(f"{settings.alerts / BOOK} cannot be written: {error.strerror}.") from None


@contextmanager
def open_book(settings: Settings) -> Iterator[Book]:
    """The book, held for this process alone while the block lasts; written by whoever changes it."""
    try:
        path = private_folder(settings.alerts) / LOCK
        file = open_lock(path)
    except OSError as error:
        raise HimsError(f"{settings.alerts} cannot be written: {error.strerror}.") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield read(settings)


def enter(book: Book, conditions: Sequence[Condition], now: datetime) -> None:
    """Bring the book up to what holds now: new alerts, changed words, and what is over."""
    here = {one.key: one for one in conditions}
    for alert in [one for one in book.alerts if one.is_open]:
        condition = here.get(alert.key)
        if condition is not None and not condition.over:
            book.put(replace(alert, what=condition.what, todo=condition.todo, gone=""))
            continue
        gone = alert.gone or instant(now)
        settled = not KINDS[alert.kind].settles or now - datetime.fromisoformat(gone) >= SETTLED
        book.put(replace(alert, gone=gone, over=instant(now) if settled else ""))
    standing = {one.key for one in book.alerts if one.is_open}
    passed = {one.key for one in book.alerts}
    for condition in here.values():
        if condition.key in (passed if condition.over else standing):
            continue
        book.alerts.append(
            Alert(
                book.next_alert(), condition.key, condition.kind, condition.what, condition.since, instant(now),
                condition.todo, condition.batch, over=instant(now) if condition.over else "",
            )
        )  # fmt: skip
    waiting = {message.id for message in book.outbox}
    book.alerts = [one for one in book.alerts if one.is_open or _is_kept(one, waiting, now)]


def _is_kept(alert: Alert, waiting: set[str], now: datetime) -> bool:
    unsent = waiting & {*alert.queued.values(), *alert.over_queued.values()}
    return bool(unsent) or now - datetime.fromisoformat(alert.over) < KEPT


def acknowledge_alert(settings: Settings, alert_id: str, note: str, now: datetime) -> Alert:
    """Write down that somebody has taken note of an alert and sees to it.

    Raises:
        HimsError: there is no such open alert.
    """
    with open_book(settings) as book:
        for alert in book.alerts:
            if alert.id == alert_id and alert.is_open:
                done = replace(alert, acknowledged={"at": instant(now), **acting_account(), "note": note})
                book.put(done)
                write_book(settings, book)
                return done
    raise HimsError(f"There is no open alert {alert_id}; `hims alert list` shows them.")
