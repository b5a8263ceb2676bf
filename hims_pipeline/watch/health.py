"""Is the installation well? For a watchdog outside Dagster, which needs an answer also when Dagster is down, the key is
gone or nothing was ever published. Exit codes are those of monitoring plugins: 0 well, 1 warning, 2 critical."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hims_pipeline.errors import HimsError
from hims_pipeline.release import store
from hims_pipeline.settings import Settings
from hims_pipeline.watch import alert_book, nights
from hims_pipeline.watch.alert_kinds import KINDS, Condition, instant
from hims_pipeline.watch.look import look_for_trouble

WELL, WARNING, CRITICAL = 0, 1, 2
WORDS = {WELL: "WELL", WARNING: "WARNING", CRITICAL: "CRITICAL"}


@dataclass(frozen=True)
class Health:
    """What holds now. `acknowledged`: keys of conditions that somebody sees to already."""

    at: str
    conditions: tuple[Condition, ...]
    acknowledged: frozenset[str]
    release: str | None
    last_night: nights.Night | None
    unsent: int

    @property
    def code(self) -> int:
        return max((self.weight(condition) for condition in self.conditions), default=WELL)

    def weight(self, condition: Condition) -> int:
        """How much a condition counts: what senders must mend is no fault of the installation, and somebody who sees to
        a critical one need not be woken again."""
        kind = KINDS[condition.kind]
        if condition.over or kind.of == "data":
            return WELL
        return WARNING if not kind.critical or condition.key in self.acknowledged else CRITICAL

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "status": WORDS[self.code],
            "code": self.code,
            "release": self.release,
            "last_night": self.last_night and {"begun": self.last_night.begun, "ended": self.last_night.ended,
                                               "well": self.last_night.well},
            "messages_unsent": self.unsent,
            "conditions": [
                {
                    "kind": condition.kind, "class": KINDS[condition.kind].of,
                    "weight": WORDS[self.weight(condition)], "acknowledged": condition.key in self.acknowledged,
                    "what": condition.what, "since": condition.since, "blocks": KINDS[condition.kind].blocks,
                    "do": condition.todo or KINDS[condition.kind].todo,
                }
                for condition in self.conditions if not condition.over
            ],
        }  # fmt: skip


def measure_health(settings: Settings, now: datetime | None = None) -> Health:
    """Look at the installation; nothing is written, and nothing is raised for what is wrong with it."""
    now = now or datetime.now(UTC)
    conditions = look_for_trouble(settings, now)
    try:
        known = alert_book.read(settings)
    except HimsError as error:
        known = alert_book.Book()
        conditions.append(Condition("installation-unusable", "the book of alerts", str(error), instant(now)))
    if not settings.home.is_dir():
        what = f"There is no installation at {settings.home}."
        conditions.append(Condition("no-release", "", what, instant(now)))
    release, _, _ = store.read_state(settings)
    if release is None and not any(condition.kind == "no-release" for condition in conditions):
        conditions.append(Condition("no-release", "", "Nothing has been published here yet.", instant(now)))
    past = nights.nights(settings, last=1)
    seen = frozenset(alert.key for alert in known.alerts if alert.is_open and alert.acknowledged)
    return Health(
        instant(now), tuple(conditions), seen, release, past[-1] if past else None, len(known.outbox)
    )  # fmt: skip
