"""What Dagster adds to the watch: how its nights end, and its daemon's sign of life. Everything else is found on the
disk (`watch.look`), and sent by whoever may reach the network.

Two sensors, on where the schedule is: `tell` runs every few minutes, `night_ended` when a nightly run has ended.
"""

from collections.abc import Iterator

import dagster as dg
from dagster._core.execution.plan.objects import ErrorSource

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.defs.history import clear_history
from hims_pipeline.failures import explain
from hims_pipeline.settings import Settings
from hims_pipeline.stopping import STOPPED
from hims_pipeline.watch import nights
from hims_pipeline.watch.look import beat
from hims_pipeline.watch.tell import tell

EVERY_SECONDS = 300  # a third of what the watch takes for silence
ENDED = {
    dg.DagsterRunStatus.SUCCESS: True,
    dg.DagsterRunStatus.FAILURE: False,
    dg.DagsterRunStatus.CANCELED: False,
}


def reason_of(failure) -> str:
    """The innermost message of a failed step, without its stack.

    Args:
        failure: Dagster's `step_failure_data`.
    """
    if failure.error_source == ErrorSource.INTERRUPT:
        return STOPPED
    if failure.user_failure_data is not None:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error.cause is not None:
        error = error.cause
    return error.message.strip()


def watching_hooks(settings: Settings) -> set[dg.HookDefinition]:
    """Each step of a night leaves a sign that it ended, and why it failed."""

    @dg.success_hook(name="sign_of_success")
    def note_success(context: dg.HookContext) -> None:
        nights.sign(settings, context.run_id)

    @dg.failure_hook(name="sign_of_failure")
    def note_failure(context: dg.HookContext) -> None:
        error = context.op_exception
        reason = str(error.description) if isinstance(error, dg.Failure) else explain(error) if error else "no reason"
        nights.sign(settings, context.run_id, reason)

    return {note_success, note_failure}


def watching_sensors(settings: Settings, job) -> list[dg.SensorDefinition]:
    """The daemon's part of the watch, on by default where the schedule is."""
    on = settings.env in load_observatory(settings.data).schedule.on_in
    status = dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name="tell",
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=status,
        description="Looks at the installation, writes down what people are to know and sends it; starts no run.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        beat(settings)
        waiting = tell(settings, context.log.info)
        return dg.SkipReason(f"{waiting} message(s) wait to be sent again" if waiting else "all was told")

    return [watch, *_night_ended(settings, job, status)]


def _night_ended(settings: Settings, job, default: dg.DefaultSensorStatus) -> Iterator[dg.SensorDefinition]:
    for status, well in ENDED.items():

        @dg.run_status_sensor(
            run_status=status,
            name=f"night_ended_{status.value.lower()}",
            monitored_jobs=[job],
            default_status=default,
            minimum_interval_seconds=30,
            description="Writes down how a night ended, tells it, and removes what is past its time of Dagster's.",
        )
        def note_end(context: dg.RunStatusSensorContext, status=status, well: bool = well) -> None:
            run = context.dagster_run.run_id
            why = STOPPED if status == dg.DagsterRunStatus.CANCELED else context.dagster_event.message or "it failed"
            nights.begin(settings, run)  # a run that failed before its first step
            nights.end_night(settings, run, well=well, reasons=[] if well else [why])
            clear_history(settings, context.instance)
            tell(settings, context.log.info)

        yield note_end
