"""What a release's manifests say of deliveries, one by one: those behind its figures, and those that are left out.

Rules and counts only, in their outer reading: what a delivery held stays in it. Not here: words for people (`notes`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hims_pipeline.contracts.model import Contract
from hims_pipeline.intake import BatchState
from hims_pipeline.lake.batches import Batch
from hims_pipeline.lake.periods import covers, is_period

LEFT_OUT = ("refused", "held back", "withdrawn", "pending", "damaged", "destroyed")


def list_batches(batches: Iterable[Batch], inputs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The batches that count: source, period and its days, edition, and what their verdicts came to.

    Args:
        inputs: rows of the build's `inputs.json`, one an entity and batch.
    """
    verdicts = {batch.manifest.batch: batch.verdict for batch in batches}
    days: dict[str, list[dict[str, Any]]] = {}
    for row in inputs:
        days.setdefault(row["batch_id"], []).append(row)
    return [
        {
            "batch": name,
            "source": rows[0]["source"],
            "period": rows[0]["period"],
            "period_start_date": min(str(row["period_start_date"]) for row in rows),
            "period_end_date": max(str(row["period_end_date"]) for row in rows),
            "vintages": sorted({row["vintage"] for row in rows}),
            "verdict": verdicts[name].status,
            "rules_evaluated": verdicts[name].evaluated,
            "warnings": sorted({finding.rule for finding in verdicts[name].findings if finding.severity == "warning"}),
        }
        for name, rows in sorted(days.items())
        if name in verdicts
    ]


def list_left_out(states: Sequence[BatchState], contracts: Mapping[str, Contract]) -> list[dict[str, Any]]:
    """Deliveries that no figure of the release rests on, and why; days of the period where its contract knows them."""
    return [
        {
            "batch": one.batch,
            "source": one.batch.split("/")[0],
            "period": one.batch.split("/")[1] if "/" in one.batch else "",
            **_days_of(one.batch, contracts),
            "state": one.state,
            "reasons": [str(reason) for reason in one.reasons],
        }
        for one in states
        if one.state in LEFT_OUT
    ]


def _days_of(batch: str, contracts: Mapping[str, Contract]) -> dict[str, str]:
    source, _, rest = batch.partition("/")
    period, contract = rest.partition("/")[0], contracts.get(source)
    if contract is None or not is_period(contract, period):
        return {}
    first, last = covers(contract, period)
    return {"period_start_date": first.isoformat(), "period_end_date": last.isoformat()}
