"""What an engineer sees and can start for one source: landing (observed), its gate, bronze and validated."""

import dagster as dg

from hims_pipeline import intake
from hims_pipeline.contracts.model import Contract
from hims_pipeline.defs.intake import delivery_of, gate_metadata, partition_set, take_in_delivery
from hims_pipeline.lake.landing import deliveries
from hims_pipeline.lake.lock import installation_lock
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
    @dg.asset_check(
        asset=dg.AssetKey(["landing", contract.source]),
        name="gate",
        partitions_def=periods,
        description="Great Expectations' verdict on the delivery: the contract's rules and those of expectations/.",
    )
    def gate(context: dg.AssetCheckExecutionContext):
        """Judge the chosen period again; without one, as `Execute all` starts it, every period of the source."""
        if context.has_partition_key:
            chosen = [delivery_of(settings, contract, context.partition_key)]
        else:
            known = sorted({one.period for one in deliveries(settings, contract.source)})
            chosen = [delivery_of(settings, contract, period) for period in known]
        passed, metadata = True, {}
        for delivery in [one for one in chosen if one is not None]:
            with installation_lock(settings, f"judging {delivery.batch}", 600, context.log.info):
                verdict = intake.take_in(settings, delivery, context.log.info)
            passed = passed and verdict.status == "accepted"
            metadata = gate_metadata(settings, delivery, verdict) | {"batch": delivery.batch}
        return dg.AssetCheckResult(passed=passed and bool(metadata), metadata=metadata)

    return gate
