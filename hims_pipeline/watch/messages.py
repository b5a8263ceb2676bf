"""The words of a message: alerts grouped by class, each with what, since when, what it blocks, what to do and its page.

No word of a sender stands in them: the report that goes with an alert holds none, and `hims batch letter` prints them
to those who may open the closed zone.
"""

from collections.abc import Sequence
from typing import Any

from hims_pipeline.contracts.alerts import CLASSES
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import Settings
from hims_pipeline.watch.alert_book import Alert
from hims_pipeline.watch.alert_kinds import KINDS
from hims_pipeline.watch.letters import letter_about

OF = {"data": "Data, for their senders", "machine": "Machine", "code": "Code, and what people edit"}


def subject(settings: Settings, new: Sequence[Alert], over: Sequence[Alert]) -> str:
    """One line that says how bad it is."""
    name = load_observatory(settings.data).name.en
    critical = [one for one in new if KINDS[one.kind].critical]
    first = (critical or list(new) or list(over))[0]
    title = KINDS[first.kind].title if new else f"Over: {KINDS[first.kind].title}"
    more = len(new or over) - 1
    mark = "URGENT: " if critical else ""
    return f"[HIMS {settings.env}] {mark}{title}{f', and {more} more' if more else ''} ({name})"


def message_text(settings: Settings, new: Sequence[Alert], over: Sequence[Alert]) -> str:
    """The body, for people."""
    lines: list[str] = []
    for of in CLASSES:
        if some := [one for one in new if KINDS[one.kind].of == of]:
            lines += [f"== {OF[of]}", ""]
            for one in some:
                lines += [*paragraph(settings, one), ""]
    if over:
        lines += ["== Over", "", *(f"{one.id}  {KINDS[one.kind].title}: {_first_line(one.what)}" for one in over), ""]
    lines.append("`hims alert ack <id>` says that you see to it; `hims health` says what holds now.")
    return "\n".join(lines) + "\n"


def paragraph(settings: Settings, alert: Alert) -> list[str]:
    """One alert in full."""
    kind = KINDS[alert.kind]
    what, *more = alert.what.split("\n")
    return [
        f"{alert.id}  {kind.title}{f' (over since {alert.over})' if alert.over else ''}",
        f"  What:    {what}",
        *(f"           {line}" for line in more),
        f"  Since:   {alert.since}",
        f"  Blocks:  {kind.blocks}",
        f"  Do:      {alert.todo or kind.todo}",
        f"  Page:    {runbook(settings, alert.kind)}",
    ]


def facts(settings: Settings, new: Sequence[Alert], over: Sequence[Alert]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "alerts": [
            {
                "id": one.id, "kind": one.kind, "class": KINDS[one.kind].of, "critical": KINDS[one.kind].critical,
                "what": one.what, "since": one.since, "blocks": KINDS[one.kind].blocks,
                "do": one.todo or KINDS[one.kind].todo, "page": runbook(settings, one.kind),
            }
            for one in new
        ],
        "over": [{"id": one.id, "kind": one.kind, "since": one.over} for one in over],
    }  # fmt: skip


def letters(settings: Settings, new: Sequence[Alert]) -> tuple[tuple[str, str], ...]:
    """The reports to senders that go with refusals, without their own words; none for a delivery that is gone since."""
    pages = [letter_about(settings, one.batch) for one in new if one.batch]
    return tuple(one for one in pages if one is not None)


def runbook(settings: Settings, kind: str) -> str:
    """Where the page of a kind is."""
    base = load_observatory(settings.data).alerts.runbooks
    return f"{base.rstrip('/')}/{kind}.md" if base else f"docs/runbooks/{kind}.md"


def _first_line(what: str) -> str:
    return what.split("\n")[0]
