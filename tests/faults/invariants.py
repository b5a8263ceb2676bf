"""What must hold of an installation after any fault, and what it holds, to be compared with an undisturbed one."""

import json
import re
from typing import Any

import dagster as dg

from hims_pipeline.defs.execution import UNFINISHED
from hims_pipeline.defs.instance import open_instance
from hims_pipeline.lake import journal
from hims_pipeline.release import store
from tests.faults.world import Ended, ask, run
from tests.installation import Installation

NO_PLACES = ("dagster", "nights")  # what lies there has the names of runs
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


def read_release(here: Installation) -> tuple[list[str], dict[str, str]]:
    """What is damaged of the current release, and the hashes of its tables: all that readers ask, in a moment."""
    return ask(lambda: (_damage(here), _held(here)["tables"]))


def places(here: Installation) -> set[str]:
    """The files in an installation's folder, but for Dagster's; the hash of a build that is kept stands as a star."""
    found = (path.relative_to(here.home) for path in here.home.rglob("*") if not path.is_dir())
    return {
        re.sub(r"warehouse-[0-9a-f]+", "warehouse-*", str(path)) for path in found if path.parts[0] not in NO_PLACES
    }


def find_held(here: Installation) -> list[str]:
    """What dead nights hold in Dagster's storage: runs that never ended, slots of pools."""
    return ask(lambda: _find_held(here))


def _find_held(here: Installation) -> list[str]:
    with open_instance(here.settings) as instance:
        storage = instance.event_log_storage
        slots = {key: storage.get_concurrency_info(key).claimed_slots for key in storage.get_concurrency_keys()}
        runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return [f"run {run.run_id} never ended" for run in runs] + [f"{key} is held" for key, held in slots.items() if held]
