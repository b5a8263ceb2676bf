"""Checks as Dagster shows them, held against what the gate decided.

Whoever reaches Dagster's storage can write a green check. It counts for nothing, since only the folder of a batch says
whether it was accepted; and each night sets right what is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import dagster as dg

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.defs.intake import delivery_of, gate_check, log_verdict
from hims_pipeline.lake import batches
from hims_pipeline.lake.landing import Delivery, deliveries
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings

HISTORY = 1000  # evaluations looked at, a source: more than many nights make


@dataclass
class Shown:
    """What Dagster shows of a period: its latest check, and the runs that reported one."""

    passed: bool
    runs: set[str] = field(default_factory=set)


AllShown = dict[str, dict[str, Shown]]  # source -> period -> what is shown of it


def wrong_checks(settings: Settings, all_shown: AllShown) -> Iterator[tuple[dg.AssetCheckEvaluation, Shown]]:
    """What the gate decided beside what is shown, for each period where they differ: the gate did not report that."""
    for source, contract in load_contracts(settings.data).items():
        for period, shown in all_shown[source].items():
            delivery = delivery_of(settings, contract, period)
            verdict = batches.prove_batch(settings, delivery).verdict if delivery else None
            if delivery and verdict and shown.passed != (verdict.status == "accepted"):
                yield gate_check(settings, delivery, verdict), shown


def set_checks_right(context, settings: Settings) -> None:
    """Show again what the gate decided, and tell where something else was shown; where nothing is, show it anew."""
    all_shown = read_shown(settings, context.instance)
    for check, shown in wrong_checks(settings, all_shown):
        messages, is_so = ("passed", "failed") if shown.passed else ("failed", "passed")
        place = f"{'/'.join(check.asset_key.path)} {check.partition}"
        context.log.warning(f"{place} is shown as {messages}, which the gate did not report: it {is_so}")
        if (
            context.run.run_id not in shown.runs
        ):  # Dagster takes one check of a period from a run: the next sets it right
            context.log_event(check)
    for delivery, verdict in find_forgotten(settings, all_shown):
        log_verdict(context, settings, delivery, verdict)


def find_forgotten(settings: Settings, all_shown: AllShown) -> Iterator[tuple[Delivery, Verdict]]:
    """Judged deliveries of whose period nothing is shown: Dagster's history was lost, or is past its time."""
    for source, contract in load_contracts(settings.data).items():
        for period in sorted({one.period for one in deliveries(settings, source)} - all_shown[source].keys()):
            delivery = delivery_of(settings, contract, period)
            verdict = batches.prove_batch(settings, delivery).verdict if delivery else None
            if delivery and verdict:
                yield delivery, verdict


def read_shown(settings: Settings, instance: dg.DagsterInstance) -> AllShown:
    """What Dagster shows of every period of every source."""
    return {source: _read_shown(instance, source) for source in load_contracts(settings.data)}


def _read_shown(instance: dg.DagsterInstance, source: str) -> dict[str, Shown]:
    key = dg.AssetCheckKey(dg.AssetKey(["landing", source]), "gate")
    by_batch: dict[str, Shown] = {}
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=HISTORY):
        event = record.event.dagster_event if record.event else None
        if event and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION and record.partition:
            shown = by_batch.setdefault(record.partition, Shown(event.asset_check_evaluation_data.passed))
            shown.runs.add(record.run_id)
    return by_batch
