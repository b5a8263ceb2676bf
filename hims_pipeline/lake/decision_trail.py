"""What the audit trail says that people decided about deliveries: the last word on each counts.

Only lines whose own seal holds are believed. Not here: who may decide what (`intake.decisions`).
"""

from dataclasses import dataclass
from typing import Any

from hims_pipeline.lake import journal, trail
from hims_pipeline.lake.verdict import Acceptance
from hims_pipeline.settings import Settings

DECISIONS = (journal.ACCEPTED, journal.REJECTED, journal.WITHDRAWN, journal.REINSTATED)


@dataclass(frozen=True)
class Decision:
    """One decision about a batch; `event` is the journal's."""

    batch: str
    event: str
    at: str
    by: str
    name: str
    reason: str

    def sentence(self) -> str:
        who = f"{self.name} ({self.by})" if self.name else self.by
        return f"{self.at} {self.event} by {who}{f': {self.reason}' if self.reason else ''}"


def acceptances(settings: Settings) -> dict[str, Acceptance]:
    """Batch -> the acceptance that holds: none where the last word on it is another."""
    by_batch: dict[str, Acceptance] = {}
    for line in journal.done(settings, *DECISIONS):
        by_batch.pop(line["batch"], None)
        if line["event"] == journal.ACCEPTED and trail.is_ours(settings, line):
            rules = tuple(line["rules"])
            by_batch[line["batch"]] = Acceptance(_account(line), line["name"], line["reason"], line["at"], rules)
    return by_batch


def find_rejected_since(settings: Settings, number: int) -> dict[str, Decision]:
    """Batches whose acceptance was taken back by a line of the trail behind this one."""
    later = (line for line in journal.done(settings, journal.REJECTED) if line["number"] > number)
    return {line["batch"]: _decision(line) for line in later}


def decisions(settings: Settings, batch: str) -> list[Decision]:
    """All decisions about a batch, in their order."""
    return [_decision(line) for line in journal.done(settings, *DECISIONS) if line["batch"] == batch]


def _decision(line: dict[str, Any]) -> Decision:
    return Decision(
        line["batch"], line["event"], line["at"], _account(line), line.get("name", ""), line.get("reason", "")
    )


def _account(line: dict[str, Any]) -> str:
    """The account that acted, and the one that logged in where it is another."""
    return f"{line['by']}, logged in as {line['login']}" if "login" in line else line["by"]
