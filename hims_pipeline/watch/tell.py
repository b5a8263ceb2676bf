"""Telling people: look, write down, then send. Whoever calls it (a night's end, Dagster's daemon, a timer), and however
often, one thing is told once on each channel.

A message is in the book before it is sent. A channel that does not take it is tried again, later each time; nothing is
given up while the channel exists.
"""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hims_pipeline.contracts.alerts import Channel
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import Settings
from hims_pipeline.watch import alert_book as books
from hims_pipeline.watch import digest, messages
from hims_pipeline.watch.alert_book import Alert, Book, Message
from hims_pipeline.watch.alert_kinds import KINDS, Condition, instant
from hims_pipeline.watch.channels import Unsent, send
from hims_pipeline.watch.look import look_for_trouble

LONGEST_WAIT = timedelta(hours=1)
UNSENT_AFTER = timedelta(hours=6)
Log = Callable[[str], None]


def tell(settings: Settings, log: Log = lambda text: None, now: datetime | None = None) -> int:
    """Look at the installation, write down what is new or over, and send what is to be sent.

    Returns:
        How many messages wait for a later try.

    Raises:
        HimsError: the book cannot be read or written.
    """
    now = now or datetime.now(UTC)
    conditions = look_for_trouble(settings, now)
    channels = channels_of(settings)
    with books.open_book(settings) as book:
        books.enter(book, [*conditions, *_unsent(book, now)], now)
        book.outbox = [one for one in book.outbox if one.channel in channels]
        for name, channel in channels.items():
            _queue(settings, book, name, channel, now)
        if digest.is_due(settings, book, now):
            _queue_digest(settings, book, channels, now)
        books.write_book(settings, book)
        for message in list(book.outbox):
            if not message.not_before or datetime.fromisoformat(message.not_before) <= now:
                _try(settings, book, channels[message.channel], message, now, log)
                books.write_book(settings, book)
        return len(book.outbox)


def channels_of(settings: Settings) -> dict[str, Channel]:
    """The channels of this environment, by name."""
    return {
        channel.name: channel
        for channel in load_observatory(settings.data).alerts.channels
        if settings.env in channel.on_in
    }


def _queue(settings: Settings, book: Book, name: str, channel: Channel, now: datetime) -> None:
    """One message with all that is new, or over, for a channel."""
    mine = [alert for alert in book.alerts if KINDS[alert.kind].of in channel.classes]
    new = [one for one in mine if name not in one.queued and (one.is_open or one.over == one.found)]
    over = [one for one in mine if one.over and name in one.queued and name not in one.over_queued]
    if not new and not over:
        return
    made = Message(
        uuid.uuid4().hex[:12], name, instant(now), messages.subject(settings, new, over),
        messages.message_text(settings, new, over), messages.facts(settings, new, over),
        messages.letters(settings, new),
    )  # fmt: skip
    book.outbox.append(made)
    for one in new:
        told_over = {**one.over_queued, name: made.id} if one.over else one.over_queued
        book.put(replace(one, queued={**one.queued, name: made.id}, over_queued=told_over))
    for one in over:
        book.put(replace(one, over_queued={**one.over_queued, name: made.id}))


def _queue_digest(settings: Settings, book: Book, channels: dict[str, Channel], now: datetime) -> None:
    subject, text = digest.write_digest(settings, book, now)
    for name, channel in channels.items():
        if channel.digest:
            book.outbox.append(
                Message(uuid.uuid4().hex[:12], name, instant(now), subject, text, messages.facts(settings, [], []))
            )
    book.digest = instant(now)


def _try(settings: Settings, book: Book, channel: Channel, message: Message, now: datetime, log: Log) -> None:
    try:
        send(settings, channel, message)
    except Unsent as error:
        log(f"not sent through {channel.name}: {error}; it is tried again")
        wait = timedelta() if error.from_here else min(timedelta(minutes=2**message.attempts), LONGEST_WAIT)
        later = replace(
            message, attempts=message.attempts + 1, not_before=instant(now + wait), trouble=str(error)
        )  # fmt: skip
        book.outbox = [later if one.id == message.id else one for one in book.outbox]
        return
    book.outbox = [one for one in book.outbox if one.id != message.id]
    log(f"sent through {channel.name}: {message.subject}")


def _unsent(book: Book, now: datetime) -> list[Condition]:
    """Channels that have not taken anything for long: another channel may get through."""
    conditions: dict[str, Condition] = {}
    for one in book.outbox:
        if one.attempts and now - datetime.fromisoformat(one.made) > UNSENT_AFTER:
            what = f"The channel {one.channel} takes no message: {one.trouble}."
            conditions.setdefault(one.channel, Condition("alerts-unsent", one.channel, what, one.made))
    return list(conditions.values())


def open_alerts(settings: Settings) -> list[Alert]:
    """Alerts that are not over."""
    return [alert for alert in books.read(settings).alerts if alert.is_open]
