"""What must hold of an installation after any fault, and what it holds, to be compared with an undisturbed one."""

import json
import re
from typing import Any

from hims_pipeline.lake import journal
from hims_pipeline.release import store
from tests.faults.world import Ended, ask, run
from tests.installation import Installation

TRACE = re.compile(r"Traceback \(most recent call last\)|^\s+File \".*\", line \d+|A defect of ours", re.MULTILINE)


def faults_of(ended: Ended) -> list[str]:
    """What is wrong with how a command ended: a trace, a failure without a word, a process that outlived it."""
    found = [f"a defect is told: {ended.printed.strip()[-600:]}"] if TRACE.search(ended.printed) else []
    if ended.code not in (0, -9) and not ended.printed.strip():
        found.append(f"exit code {ended.code} without a word")
    return found + [f"outlived by: {line}" for line in ended.left]


def broken(here: Installation) -> list[str]:
    """What does not hold: status and reading go on, the trail is whole, the current release is intact."""
    found = []
    for words in (("status",), ("audit", "verify"), ("release", "list")):
        ended = run(here, *words)
        found += [f"{' '.join(words)}: {fault}" for fault in faults_of(ended)]
        if ended.code:
            found.append(f"{' '.join(words)}: exit code {ended.code}: {ended.printed.strip()[-300:]}")
    return found + ask(lambda: _damage(here))


def _damage(here: Installation) -> list[str]:
    now = store.current_release(here.settings)
    if now is None:
        return ["nothing is current any more"]
    return [f"{now.id}: {damage}" for damage in store.verify_release(here.settings, now)]


def state(here: Installation) -> dict[str, Any]:
    """Batches and where they stand, the current release's tables, what was withdrawn, acts that were never ended."""
    told = run(here, "status", "--format", "json")
    if told.code:
        return {"status": told.printed.strip()[-300:]}
    known = json.loads(told.printed)
    return ask(lambda: _held(here)) | {
        "batches": {one["batch"]: one["state"] for one in known["batches"]},
        "withdrawn": sorted(known["withdrawn"]),
    }


def _held(here: Installation) -> dict[str, Any]:
    now = store.current_release(here.settings)
    tables = now.manifest("staff")["tables"] if now else {}
    return {
        "tables": {name: facts["content_hash"] for name, facts in tables.items()},
        "begun": [intent["event"] for intent, reached in journal.acts(here.settings) if reached == journal.BEGUN],
    }
