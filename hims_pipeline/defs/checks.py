"""Checks as Dagster shows them, held against what the gate decided.

Whoever reaches Dagster's storage can write a green check. It counts for nothing, since only the folder of a batch says
whether it was accepted; and each night sets right what is shown.
"""

from collections.abc import Iterator

import dagster as dg

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.defs.intake import delivery_of, gate_check
from hims_pipeline.lake import batches
from hims_pipeline.settings import Settings

HISTORY = 1000  # evaluations looked at, a source: more than many nights make


def wrong_checks(settings: Settings, instance: dg.DagsterInstance) -> Iterator[dg.AssetCheckEvaluation]:
    """What the gate decided, for each period whose latest check says otherwise: it was not reported by the gate."""
    for source, contract in load_contracts(settings.data).items():
        for period, passed in _shown(instance, source).items():
            delivery = delivery_of(settings, contract, period)
            verdict = batches.read_verdict(settings, delivery) if delivery else None
            if delivery and verdict and passed != (verdict.status == "accepted"):
                yield gate_check(settings, delivery, verdict)


def set_checks_right(context, settings: Settings) -> None:
    """Show again what the gate decided, and tell where something else was shown."""
    for check in wrong_checks(settings, context.instance):
        said, is_so = ("failed", "passed") if check.passed else ("passed", "failed")
        place = f"{'/'.join(check.asset_key.path)} {check.partition}"
        context.log.warning(f"{place} was shown as {said}, which the gate did not report: it {is_so}, shown so again")
        context.log_event(check)


def _shown(instance: dg.DagsterInstance, source: str) -> dict[str, bool]:
    """Period -> does its latest check say passed?"""
    key = dg.AssetCheckKey(dg.AssetKey(["landing", source]), "gate")
    found: dict[str, bool] = {}
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=HISTORY):
        event = record.event.dagster_event if record.event else None
        if event and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION and record.partition:
            found.setdefault(record.partition, event.asset_check_evaluation_data.passed)
    return found
