"""What must hold of an installation after any fault, and what it holds, to be compared with an undisturbed one."""

import json
import re

from hims_pipeline.lake import journal
from hims_pipeline.release import store
from tests.conftest import Installation
from tests.faults.world import Ended, run

TRACE = re.compile(r"Traceback \(most recent call last\)|^\s+File \".*\", line \d+", re.MULTILINE)


def faults_of(ended: Ended) -> list[str]:
    """What is wrong with how a command ended: a trace, or a failure without a word."""
    found = ["a traceback is printed"] if TRACE.search(ended.printed) else []
    if ended.code not in (0, -9) and not ended.printed.strip():
        found.append(f"exit code {ended.code} without a word")
    return found


def broken(here: Installation) -> list[str]:
    """What does not hold: status and reading go on, the trail is whole, the current release is intact."""
    found = []
    for words in (("status",), ("audit", "verify"), ("release", "list")):
        ended = run(here, *words)
        found += [f"{' '.join(words)}: {fault}" for fault in faults_of(ended)]
        if ended.code:
            found.append(f"{' '.join(words)}: exit code {ended.code}: {ended.printed.strip()[-300:]}")
    now = store.current(here.settings)
    if now is None:
        return [*found, "nothing is current any more"]
    return found + [f"{now.id}: {damage}" for damage in store.verify(now, here.settings)]


def state(here: Installation) -> dict[str, object]:
    """Batches and where they stand, the current release's tables, what was withdrawn, acts that were never ended."""
    told = json.loads(run(here, "status", "--format", "json").printed)
    now = store.current(here.settings)
    tables = now.manifest("staff")["tables"] if now else {}
    return {
        "batches": {one["batch"]: one["state"] for one in told["batches"]},
        "tables": {name: facts["content_hash"] for name, facts in tables.items()},
        "withdrawn": sorted(told["withdrawn"]),
        "begun": [intent["event"] for intent, reached in journal.acts(here.settings) if reached == journal.BEGUN],
    }
