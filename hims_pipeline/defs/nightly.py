"""The night: everything pending is taken in, then the warehouse is built, then it is published.

One run. A refused delivery is a red check and an alert, never a failure of the run that builds from the rest; a failure
of our own is one.
"""

import re

import dagster as dg

from hims_pipeline import build, intake, linkage
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.defs.intake import add_partitions, take_in_delivery
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.reconcile import reconcile
from hims_pipeline.settings import Settings

TAKE_IN = dg.AssetKey(["landing", "take_in"])
JOB = "nightly"


def take_in_asset(settings: Settings):
    """`landing/take_in`: collect what was dropped, then one step a pending batch, each logging on its own
    source, then the registers are linked."""

    @dg.op(out=dg.DynamicOut(str))
    def find_pending(context: dg.OpExecutionContext):
        with installation_lock(settings, "collecting deliveries", 3600, context.log.info):
            for text in reconcile(settings):
                context.log.warning(text)
            for left in build.clear_leftovers(settings):
                context.log.info(f"cleared away: {left}")
            new, again, misplaced = intake.collect(settings)
            for delivery in new:
                context.log.info(f"arrived: {delivery.batch}")
            for delivery in again:
                context.log.info(f"{delivery.batch} was delivered again, byte for byte: nothing to do")
            for stray in misplaced:
                context.log.warning(f"landing/{stray.place}: {stray.reason}")
        add_partitions(context.instance, settings, list(load_contracts(settings.data)))
        waiting = intake.pending(settings)
        context.log.info(f"{len(waiting)} batch(es) to take in")
        for one in waiting:
            context.log.info(f"{one.delivery.batch}: {one.why}")
            yield dg.DynamicOutput(one.delivery.batch, mapping_key=re.sub(r"\W", "_", one.delivery.batch))

    @dg.op
    def take_in_batch(context: dg.OpExecutionContext, batch: str) -> bool:
        return _accepted(context, settings, landing.find(settings, batch))

    @dg.op
    def link_registers(context: dg.OpExecutionContext, accepted: list[bool]) -> list[bool]:
        with installation_lock(settings, "linking registers", 3600, context.log.info):
            linkage.link(settings, context.log.info)
        waiting = [one.delivery for one in intake.pending(settings, linkage.SOURCE)]
        add_partitions(context.instance, settings, [linkage.SOURCE] if waiting else [])
        return [*accepted, *(_accepted(context, settings, delivery) for delivery in waiting)]

    @dg.op
    def tally(context: dg.OpExecutionContext, accepted: list[bool]) -> None:
        context.log.info(f"{sum(accepted)} accepted, {len(accepted) - sum(accepted)} refused")
        context.add_output_metadata({"accepted": sum(accepted), "refused": len(accepted) - sum(accepted)})

    @dg.graph_asset(
        name=TAKE_IN.path[-1],
        key_prefix=TAKE_IN.path[0],
        group_name="landing",
        description=(
            "The night's intake: collects what was dropped, judges each pending batch in its own step, "
            "and links the registers."
        ),
    )
    def take_in():
        return tally(link_registers(find_pending().map(take_in_batch).collect()))

    return take_in


def _accepted(context: dg.OpExecutionContext, settings: Settings, delivery: landing.Delivery) -> bool:
    verdict = take_in_delivery(context, settings, delivery)
    for finding in verdict.reasons:
        context.log.error(f"REFUSED {delivery.batch}: {finding.sentence()}")
    return verdict.status == "accepted"


def nightly_job(settings: Settings, selection: dg.AssetSelection):
    """The job and its schedule, in the observatory's time zone; on by default where the observatory says."""
    job = dg.define_asset_job(
        JOB,
        selection=selection,
        description="Take in everything pending, build the warehouse, publish a release: from whatever was accepted.",
        executor_def=dg.in_process_executor,  # one writer: a process a step would cost seconds and gain nothing
        tags={"dagster/max_runtime": 4 * 3600},
    )
    observatory = load_observatory(settings.data)
    on = settings.env in observatory.schedule.on_in
    schedule = dg.ScheduleDefinition(
        job=job,
        cron_schedule=observatory.schedule.cron,
        execution_timezone=observatory.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED,
    )
    return job, schedule
