"""Taking one delivery in, as Dagster sees it: events on the period's own partition of `landing`, `bronze`, `validated`.

`landing/<source>` is never materialised by us, since others send it: the gate's check stands on it and stays red or
green, a partition each. A check on an asset that we materialise would count as outdated at once.
"""

import time
from typing import Any

import dagster as dg

from hims_pipeline import intake
from hims_pipeline.contracts.model import Contract
from hims_pipeline.defs.pages import link_to
from hims_pipeline.gates.report import reasons_markdown
from hims_pipeline.lake import batches
from hims_pipeline.lake.landing import Delivery, deliveries
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.reporting import PAGES
from hims_pipeline.settings import Settings

LOCK_PATIENCE_SECONDS = 3600  # an ingest waits for a running build; both are minutes
POOL = "installation"  # runs that judge or build: one at a time, since a new verdict undoes what is being built


def partition_set(source: str) -> str:
    """Name of the dynamic partitions of a source, which are its periods."""
    return f"{source}_periods"


def add_partitions(instance: dg.DagsterInstance, settings: Settings, sources: list[str]) -> None:
    """Make a partition of every period that was delivered. Sorted: a range of partitions is a slice in this order."""
    for source in sources:
        known = set(instance.get_dynamic_partitions(partition_set(source)))
        new = sorted({delivery.period for delivery in deliveries(settings, source)} - known)
        if new:
            instance.add_dynamic_partitions(partition_set(source), new)


def take_in_delivery(context, settings: Settings, delivery: Delivery) -> Verdict:
    """Read and judge one delivery and log what came of it; the caller decides whether a refusal fails its run."""
    started = time.monotonic()
    with installation_lock(settings, f"taking in {delivery.batch}", LOCK_PATIENCE_SECONDS, context.log.info):
        verdict = intake.take_in(settings, delivery, context.log.info)
    log_verdict(context, settings, delivery, verdict, time.monotonic() - started)
    return verdict


def log_verdict(
    context, settings: Settings, delivery: Delivery, verdict: Verdict, seconds: float | None = None
) -> None:
    """Log the events of a judged delivery on its partition."""
    source, period = delivery.source, delivery.period
    sent: dict[str, Any] = {
        "batch": delivery.batch,
        "bytes": delivery.size,
        "files": len(delivery.files),  # their names are the sender's words
        "sha256": delivery.sha256,
        "received_at": delivery.received_at,
    }
    context.log_event(dg.AssetObservation(["landing", source], partition=period, metadata=sent))
    context.log_event(gate_check(settings, delivery, verdict))
    root = settings.validated if verdict.status == "accepted" else settings.quarantine
    manifest = batches.read_batch_manifest(settings, batches.folder_of(root, delivery))
    if manifest is None:
        return
    facts: dict[str, Any] = {
        "dagster/row_count": manifest.rows,
        "batch": delivery.batch,
        "bytes": sum(entity.bytes for entity in manifest.entities.values()),
        "rows_by_entity": {name: entity.rows for name, entity in manifest.entities.items()},
        "lines_set_aside": sum(entity.rejected for entity in manifest.entities.values()),
        "layout": manifest.layout or "base",
    } | ({} if seconds is None else {"seconds": round(seconds, 2)})
    context.log_event(dg.AssetMaterialization(["bronze", source], partition=period, metadata=facts))
    if verdict.status == "accepted":
        folder = dg.MetadataValue.path(batches.folder_of(root, delivery))
        context.log_event(
            dg.AssetMaterialization(["validated", source], partition=period, metadata=facts | {"folder": folder})
        )


def gate_check(settings: Settings, delivery: Delivery, verdict: Verdict) -> dg.AssetCheckEvaluation:
    """The gate's verdict as a check on the delivery's partition."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["landing", delivery.source]),
        check_name="gate",
        partition=delivery.period,
        passed=verdict.status == "accepted",
        severity=dg.AssetCheckSeverity.ERROR,
        description="\n".join([f"{delivery.batch} {verdict.status}", *(f.sentence() for f in verdict.reasons)]),
        metadata=gate_metadata(settings, delivery, verdict),
    )


def gate_metadata(settings: Settings, delivery: Delivery, verdict: Verdict) -> dict[str, Any]:
    """What Dagster shows beside a verdict: counts, places and reasons, never a value of a row."""
    root = settings.validated if verdict.status == "accepted" else settings.quarantine
    beside = batches.settled_folder(settings, delivery)
    pages = {
        name.removesuffix(".html").replace(".", "_"): dg.MetadataValue.url(link_to(delivery.batch, name))
        for name in PAGES
        if (beside / name).exists()
    }
    return pages | {
        "reasons": dg.MetadataValue.md(reasons_markdown(verdict)),
        "codes": ", ".join(dict.fromkeys(reason.rule for reason in verdict.reasons)) or "none",
        "stage": verdict.stage,
        "rules_declared": verdict.declared,
        "rules_evaluated": verdict.evaluated,
        "canary": verdict.canary,
        "verdict": dg.MetadataValue.path(batches.folder_of(root, delivery) / batches.VERDICT),
    }


def delivery_of(settings: Settings, contract: Contract, period: str) -> Delivery | None:
    """The delivery that stands for a period: the last one that was not withdrawn."""
    sent = [
        delivery
        for delivery in deliveries(settings, contract.source)
        if delivery.period == period and not delivery.withdrawn
    ]
    return sent[-1] if sent else None
