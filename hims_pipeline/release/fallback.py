"""A source whose new delivery misses a control, or breaks a rule across sources, falls back to the delivery before: the
night builds once more without it, nearly all carried over, and everything else goes out.

Who is at fault follows from what is new since the last release. Where several sources may be, or the observatory
requires the one that is, nothing is published. What broke a rule before already, and did not change, is told and stays:
to leave it out would take away figures that are out. Not here: the rules (`gates.warehouse`), the record
(`lake.held_back`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hims_pipeline import build as building
from hims_pipeline.build import Build
from hims_pipeline.contracts.load import fingerprint, tree_fingerprint
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.dbt import run_dbt
from hims_pipeline.errors import Damaged, ReleaseError
from hims_pipeline.gates.warehouse import Broken, judge_warehouse
from hims_pipeline.lake import held_back, journal
from hims_pipeline.release.store import Release
from hims_pipeline.settings import Settings
from hims_pipeline.staging.inputs import current_batches
from hims_pipeline.staging.render import state

Log = Callable[[str], None]
ROUNDS = 3  # builds: each leaves out what the one before found


@dataclass(frozen=True)
class Judged:
    """A build that may be published, with what the warehouse's rules say of it: an outcome as the manifest keeps it,
    and what is broken and stays."""

    build: Build
    verdict: Mapping[str, Any] | None
    broken: tuple[Broken, ...]


def settle_fallback(settings: Settings, build: Build, previous: Release | None, log: Log) -> Judged:
    """Judge the warehouse of a build, and build again without the deliveries at fault. The caller holds the
    installation's lock and gives up the build that it gets.

    Raises:
        ReleaseError: a source at fault is required, or several may be.
    """
    before = {row["batch_id"] for row in previous.manifest("staff")["inputs"]} if previous else set()
    for no in range(1, ROUNDS + 1):
        log("judging the warehouse across its sources")
        outcome, broken = judge_warehouse(settings, build.warehouse)
        verdict = None if outcome is None else outcome.as_json() | {"broken": [one.sentence() for one in broken]}
        at_fault = find_at_fault(settings, broken, build.inputs(), before)
        if not at_fault:
            return Judged(build, verdict, tuple(broken))
        _hold_back(settings, at_fault, build.inputs())
        for batch, why in at_fault.items():
            log(f"HELD BACK {batch}: {why[0].sentence()}")
        run = build.folder.name
        building.discard_build(build.folder)
        build = building.prepare(settings, f"{run.removesuffix(f'-{no - 1}')}-{no}", log)
        run_dbt(settings, build, log)
    building.discard_build(build.folder)
    raise ReleaseError(
        f"Not published: after {ROUNDS} builds without the deliveries at fault there are still others. `hims status` "
        "tells each that is held back; ask their senders, or mend the control or rule."
    )


def find_at_fault(
    settings: Settings, broken: Iterable[Broken], rows: Sequence[Mapping[str, Any]], before: set[str]
) -> dict[str, list[Broken]]:
    """Batch -> what it broke, of the batches that are new and without which their rules are as they were.

    Args:
        rows: the inputs of the build.
        before: the batches of the last release.

    Raises:
        ReleaseError: a source at fault is required, or several may be.
    """
    required = load_observatory(settings.data).policies.required_sources
    at_fault: dict[str, list[Broken]] = {}
    for one in broken:
        if one.severity != "blocking":
            continue
        new = {row["source"]: set[str]() for row in rows if row["source"] in one.sources}
        for row in rows:
            if row["source"] in new and row["batch_id"] not in before:
                new[row["source"]].add(row["batch_id"])
        suspects = {source: batches for source, batches in new.items() if batches}
        if not suspects:
            continue
        if len(suspects) > 1:
            raise ReleaseError(
                f"Held: {one.sentence()} Several of them are new, and which is wrong cannot be told. Withdraw one with "
                "`hims batch withdraw`, or ask for a correction; the next night publishes."
            )
        ((source, batches),) = suspects.items()
        if source in required:
            raise ReleaseError(
                f"Held: {one.sentence()} {source} is required by observatory.yml, so nothing is published without it. "
                "Withdraw the batch or ask for a correction; the next night publishes."
            )
        named = {batch for batch in batches if batch.split("/")[1] in one.periods}
        for batch in named or batches:
            at_fault.setdefault(batch, []).append(one)
    return at_fault


def _hold_back(settings: Settings, at_fault: Mapping[str, list[Broken]], rows: Sequence[Mapping[str, Any]]) -> None:
    known, since = held_back.read_held_back(settings), datetime.now(UTC).isoformat(timespec="seconds")
    for batch, why in at_fault.items():
        beside = sorted({source for one in why for source in one.sources} - {batch.split("/")[0]})
        known[batch] = {
            "codes": sorted({one.code for one in why}),
            "reason": " ".join(one.sentence() for one in why[:3]),
            "since": since,
            "basis": fallback_basis(settings),
            "beside": {
                source: sorted({row["batch_id"] for row in rows if row["source"] == source}) for source in beside
            },
        }
        journal.record(settings, "batch held back", batch=batch, codes=known[batch]["codes"])
    held_back.write_held_back(settings, known)


def fallback_basis(settings: Settings) -> str:
    """Hash of what a batch is held back by: controls and definitions, rules, and the code that builds."""
    rules = tree_fingerprint(settings.expectations, suffixes=(".json", ".sql"))
    return fingerprint({"rendered": state(settings), "rules": rules})


def clear_stale(settings: Settings, log: Log = lambda text: None) -> None:
    """Let batches count again whose controls, rules or neighbours are no longer those that they were held back by. The
    caller holds the installation's lock; the next build judges them anew."""
    known = held_back.read_held_back(settings)
    if not known:
        return
    now, stays = fallback_basis(settings), {}
    for batch, why in known.items():
        if why["basis"] == now and not _has_changed_neighbours(settings, why["beside"]):
            stays[batch] = why
        else:
            log(f"{batch} counts again, and is judged anew: what it was held back by has changed")
    if stays != known:
        held_back.write_held_back(settings, stays)


def _has_changed_neighbours(settings: Settings, beside: Mapping[str, Sequence[str]]) -> bool:
    if not beside:
        return False
    try:
        now = [one.manifest.batch for one in current_batches(settings)]
    except Damaged:
        return True
    return any(
        {one for one in now if one.split("/")[0] == source} != set(batches) for source, batches in beside.items()
    )
