"""The night: everything pending is taken in, then the warehouse is built, then it is published.

One run. A refused delivery is a red check and an alert, never a failure of the run that builds from the rest. A failure
of our own over one delivery leaves that delivery pending and the run red; the rest is built and published.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from hims_pipeline import build, intake, linkage, retention
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.defs.broken import log_broken
from hims_pipeline.defs.checks import set_checks_right
from hims_pipeline.defs.intake import add_partitions, take_in_delivery
from hims_pipeline.defs.plain import plain_failures
from hims_pipeline.defs.watching import watching_hooks
from hims_pipeline.failures import explain
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.privacy.keys import check_key
from hims_pipeline.reconcile import reconcile
from hims_pipeline.release import fallback
from hims_pipeline.required_files import require_parts
from hims_pipeline.scrub import scrub_parts
from hims_pipeline.settings import Settings
from hims_pipeline.staging.in_force import keep_contracts
from hims_pipeline.staging.inputs import input_rows, inputs_sha256
from hims_pipeline.stopping import let_through
from hims_pipeline.watch import nights

TAKE_IN = dg.AssetKey(["landing", "take_in"])
LEFT_PENDING = dg.AssetKey(["landing", "left_pending"])
JOB = "nightly"


def take_in_asset(settings: Settings):
    """`landing/take_in`: collect what was dropped, then one step a pending batch, each logging on its own
    source, then the registers are linked."""

    @dg.op(out=dg.DynamicOut(str))
    def find_pending(context: dg.OpExecutionContext):
        with plain_failures():
            if context.run.job_name == JOB:
                nights.begin(settings, context.run.run_id)
            require_parts(settings)
            waiting = _collect(context, settings)
        for one in waiting:
            context.log.info(f"{one.delivery.batch}: {one.why}")
            yield dg.DynamicOutput(one.delivery.batch, mapping_key=re.sub(r"\W", "_", one.delivery.batch))

    @dg.op
    def take_in_batch(context: dg.OpExecutionContext, batch: str) -> dict[str, Any]:
        with _contain_failure(context, batch) as outcome:
            outcome["accepted"].append(_is_accepted(context, settings, landing.find_delivery(settings, batch)))
        return outcome

    @dg.op
    def link_registers(context: dg.OpExecutionContext, taken_in: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with _contain_failure(context, "linking registers") as outcome:
            with installation_lock(settings, "linking registers", 3600, context.log.info):
                linkage.link_registers(settings, context.log.info, none_pending=not taken_in)
            waiting = [one.delivery for one in intake.find_pending(settings, linkage.SOURCE)]
            add_partitions(context.instance, settings, [linkage.SOURCE] if waiting else [])
            for delivery in waiting:
                outcome["accepted"].append(_is_accepted(context, settings, delivery))
        with _contain_failure(context, "reading again what was written") as read_again:
            taken_any = bool(taken_in or outcome["accepted"] or outcome["failed"])
            read_again["failed"] += [
                *intake.problems(settings, context.log.info, none_pending=not taken_any),
                *scrub_parts(settings, context.log.info).damage,
            ]
        return [*taken_in, outcome, read_again]

    @dg.op
    def tally(context: dg.OpExecutionContext, outcomes: list[dict[str, Any]]) -> dg.Output[None]:
        set_checks_right(context, settings)
        accepted = [verdict for outcome in outcomes for verdict in outcome["accepted"]]
        context.log.info(f"{sum(accepted)} accepted, {len(accepted) - sum(accepted)} refused")
        inputs = inputs_sha256(settings, input_rows(settings))  # unchanged, so is what was built of them
        counts = {"accepted": sum(accepted), "refused": len(accepted) - sum(accepted)}
        return dg.Output(None, data_version=dg.DataVersion(inputs), metadata=counts)

    @dg.op
    def report_failures(outcomes: list[dict[str, Any]]) -> None:
        """Red where something of ours failed, so that the run is; the build waits for `tally` alone."""
        if failed := [reason for outcome in outcomes for reason in outcome["failed"]]:
            raise dg.Failure("\n".join(failed), allow_retries=False)

    @dg.graph_multi_asset(
        name="take_in",
        group_name="landing",
        outs={
            TAKE_IN.path[-1]: dg.AssetOut(
                key=TAKE_IN,
                description=(
                    "The night's intake: collects what was dropped, judges each pending batch in its own step, "
                    "and links the registers."
                ),
            ),
            LEFT_PENDING.path[-1]: dg.AssetOut(
                key=LEFT_PENDING,
                description="What a failure of ours left pending: nothing, or red. The rest is built and published.",
            ),
        },
    )
    def take_in():
        outcomes = link_registers(find_pending().map(take_in_batch).collect())
        return {TAKE_IN.path[-1]: tally(outcomes), LEFT_PENDING.path[-1]: report_failures(outcomes)}

    return take_in


def _collect(context: dg.OpExecutionContext, settings: Settings) -> list[intake.Pending]:
    """Take over what was dropped, and find what is to be judged."""
    with installation_lock(settings, "collecting deliveries", 3600, context.log.info):
        check_key(settings)
        for text in reconcile(settings):
            context.log.warning(text)
        fallback.clear_stale(settings, context.log.info)
        for left in build.clear_dead_builds(settings):
            context.log.info(f"cleared away: {left}")
        if load_observatory(settings.data).policies.destroy_at_term:
            retention.act_on_terms(settings, retention.plan_retention(settings), retention.POLICY, context.log.warning)
        new, again, misplaced = intake.take_over_dropped(settings)
        for delivery in new:
            context.log.info(f"arrived: {delivery.batch}")
        for delivery in again:
            context.log.info(f"{delivery.batch} was delivered again, byte for byte: nothing to do")
        for stray in misplaced:
            context.log.warning(f"landing/{stray.place}: {stray.reason}")
        keep_contracts(settings)
    log_broken(context, settings)
    add_partitions(context.instance, settings, list(load_contracts(settings.data)))
    waiting = intake.find_pending(settings, log=context.log.info)
    context.log.info(f"{len(waiting)} batch(es) to take in")
    return waiting


@contextmanager
def _contain_failure(context: dg.OpExecutionContext, what: str) -> Iterator[dict[str, Any]]:
    """A failure of our own inside stops what is inside: it stays pending, and the night goes on and ends red.

    Yields:
        The outcome: whether each batch was accepted, and why something failed.
    """
    outcome: dict[str, Any] = {"accepted": [], "failed": []}
    try:
        yield outcome
    except Exception as error:
        let_through(error)
        outcome["failed"].append(f"{what}: {explain(error)}")
        context.log.error(f"FAILED, and stays pending: {what}: {explain(error)}")


def _is_accepted(context: dg.OpExecutionContext, settings: Settings, delivery: landing.Delivery) -> bool:
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
        hooks=watching_hooks(settings),
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
