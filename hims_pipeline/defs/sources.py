"""What an engineer sees and can start for one source: landing (observed), its gate, bronze and validated."""

from typing import Any

import dagster as dg

from hims_pipeline.contracts.model import Contract
from hims_pipeline.defs.intake import POOL, delivery_of, gate_check, partition_set, take_in_delivery
from hims_pipeline.lake import batches
from hims_pipeline.lake.landing import deliveries
from hims_pipeline.settings import Settings
from hims_pipeline.words import markdown


def _tags(contract: Contract) -> dict[str, str]:
    return {
        "data_kind": contract.data_kind,
        "cadence": contract.cadence,
        "personal": str(contract.personal).lower(),
        "status": contract.status,
    }


def _spec(contract: Contract, layer: str, description: str, **more) -> dg.AssetSpec:
    synthetic = "**SYNTHETIC.** " if contract.data_kind == "synthetic" else ""
    grain = "".join(f"\n- `{name}`: {markdown(entity.grain)}" for name, entity in contract.entities.items())
    return dg.AssetSpec(
        [layer, contract.source],
        group_name=layer,
        description=f"{synthetic}{markdown(contract.title.en)}. {description}\n\nGrain:{grain}",
        owners=[f"team:{contract.source}"],
        kinds={"parquet"} if layer != "landing" else {"file"},
        tags=_tags(contract),
        metadata={
            "owner": contract.owner.institution,
            "contact": contract.owner.contact,
            "licence": contract.licence.name,
            "contract": f"data/contracts/{contract.source}.yml",
        },
        **more,
    )


def assets_of(settings: Settings, contract: Contract) -> tuple[list, dg.AssetChecksDefinition]:
    """The assets of one source, one dynamic partition set for its periods, and the gate."""
    periods = dg.DynamicPartitionsDefinition(name=partition_set(contract.source))
    landing = _spec(contract, "landing", "Files as they were sent; others send them.", partitions_def=periods)
    bronze = _spec(
        contract, "bronze", "Read, typed, without names; not yet judged.", deps=[landing.key], skippable=True
    )
    validated = _spec(contract, "validated", "Accepted batches.", deps=[bronze.key], skippable=True)
    return [landing, _ingest(settings, contract, [bronze, validated], periods)], _gate(settings, contract, periods)


def _ingest(settings: Settings, contract: Contract, specs: list[dg.AssetSpec], periods: dg.PartitionsDefinition):
    @dg.multi_asset(
        name=f"{contract.source}_ingest",
        specs=specs,
        partitions_def=periods,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
    )
    def ingest(context: dg.AssetExecutionContext):
        if not context.has_partition_key and not context.has_partition_key_range:
            raise dg.Failure(
                f"Choose the periods of {contract.source}: a run without a partition has no delivery to read.",
                allow_retries=False,
            )
        refused = []
        for period in context.partition_keys:
            delivery = delivery_of(settings, contract, period)
            if delivery is None:
                refused.append(f"{period}: nothing was delivered")
                continue
            verdict = take_in_delivery(context, settings, delivery)
            if verdict.status == "refused":
                reasons = "; ".join(f.sentence() for f in verdict.reasons)
                refused.append(f"{delivery.batch}: {reasons}")
        if refused:
            raise dg.Failure("Refused:\n" + "\n".join(refused), allow_retries=False)
        yield from ()  # the events above stand for the outputs, a partition each

    return ingest


def _gate(settings: Settings, contract: Contract, periods: dg.PartitionsDefinition) -> dg.AssetChecksDefinition:
    key = dg.AssetKey(["landing", contract.source])

    @dg.asset_check(
        asset=key,
        name="gate",
        partitions_def=periods,
        description=(
            "Great Expectations' verdict on the delivery: the contract's rules and those of expectations/. Executing "
            "shows the verdict that stands; the night, or materialising `validated`, judges anew."
        ),
    )
    def gate(context: dg.AssetCheckExecutionContext):
        """Show what the gate decided of the chosen periods, or of all, each on its own partition. Nothing is read,
        taken in or changed."""
        if context.has_partition_key:
            yield _show_period(settings, contract, context.partition_key)
            return
        chosen = context.partition_keys if context.has_partition_key_range else _periods(settings, contract)
        by_period = {period: _show_period(settings, contract, period) for period in chosen}
        for period, result in by_period.items():
            yield dg.AssetCheckEvaluation(
                asset_key=key,
                check_name="gate",
                partition=period,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata or {},
            )
        red = [f"{period}: {result.description}" for period, result in by_period.items() if not result.passed]
        description = "\n".join(red) or f"All {len(by_period)} periods are accepted."
        metadata: dict[str, Any] = {
            "periods": len(by_period),
            "red": len(red),
            "reasons": dg.MetadataValue.md(reasons_by_period(by_period)),
        }
        # No `AssetCheckResult`: of a run without a partition Dagster asks for its partition where the asset has one.
        yield dg.AssetCheckEvaluation(key, "gate", not red, metadata=metadata, description=description)
        yield dg.Output(None)

    return gate


def reasons_by_period(by_period: dict[str, dg.AssetCheckResult]) -> str:
    """The reasons of every period that is red, each under its own; of none, that all are accepted."""
    red = {period: result for period, result in by_period.items() if not result.passed}
    lines = [f"**{markdown(period)}**\n\n{markdown_lines(result.description or '')}" for period, result in red.items()]
    return "\n\n".join(lines) or f"All {len(by_period)} periods are accepted."


def markdown_lines(text: str) -> str:
    """Lines of plain text as a list."""
    return "\n".join(f"- {markdown(line)}" for line in text.split("\n"))


def _periods(settings: Settings, contract: Contract) -> list[str]:
    return sorted({delivery.period for delivery in deliveries(settings, contract.source)})


def _show_period(settings: Settings, contract: Contract, period: str) -> dg.AssetCheckResult:
    """The verdict that stands for a period, or that there is none."""
    delivery = delivery_of(settings, contract, period)
    if delivery is None:
        return dg.AssetCheckResult(passed=False, description=f"Nothing that counts was delivered for {period}.")
    standing = batches.prove_batch(settings, delivery)
    if standing.verdict is None:
        description = f"{delivery.batch} is not judged yet; the night does it. {standing.damage}".strip()
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description=description)
    check = gate_check(settings, delivery, standing.verdict)
    return dg.AssetCheckResult(passed=check.passed, description=check.description, metadata=dict(check.metadata))
