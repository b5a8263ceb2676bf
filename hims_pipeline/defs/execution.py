"""Running the nightly job in this process, on the installation's own Dagster instance."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
from dagster._core.events import RunFailureReason

from hims_pipeline import build
from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.defs.history import clear_history
from hims_pipeline.defs.instance import open_instance
from hims_pipeline.defs.nightly import JOB
from hims_pipeline.defs.plain import quiet_history
from hims_pipeline.defs.watching import reason_of
from hims_pipeline.errors import HimsError
from hims_pipeline.failures import explain
from hims_pipeline.processes import is_running, token
from hims_pipeline.release.night_proof import Proof, prove
from hims_pipeline.settings import Settings
from hims_pipeline.stopping import STOPPED
from hims_pipeline.watch import nights

PROCESS = "hims/process"
UNFINISHED = [
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class NightRun:
    """How a night ended: well, when there is a proof and nothing failed.

    Attributes:
        failures: why something of ours failed, a text each; a refused delivery is none.
        proof: that the current release is that of the present inputs, or None.
        unproven: why there is no proof.
    """

    failures: tuple[str, ...]
    proof: Proof | None
    unproven: str = ""

    @property
    def well(self) -> bool:
        return self.proof is not None and not self.failures


def fail_dead_runs(instance: dg.DagsterInstance, *, every: bool = False) -> list[str]:
    """Mark runs whose process was killed as failed, and free what they held; returns their ids.

    Args:
        every: also runs that Dagster's launcher started: right only where no daemon or webserver runs yet.
    """
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        known = run.tags.get(PROCESS)
        if is_running(known) if known is not None else not every:
            continue
        instance.report_run_failed(run, "its process is gone; what it left is cleared away by the next run")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        ended.append(run.run_id)
    return ended


def execute_nightly(settings: Settings, log: Callable[[str], None] = print) -> NightRun:
    """Run `nightly` in this process, and prove what it ended with.

    Raises:
        HimsError: the run could not even start or be recorded.
    """
    run = str(uuid.uuid4())
    nights.begin(settings, run)
    try:
        night = _execute(settings, run, log)
    except BaseException as error:
        nights.end_night(settings, run, well=False, reasons=[explain(error)])
        raise
    nights.end_night(
        settings, run, well=night.well, reasons=[*night.failures, *([night.unproven] if night.unproven else [])]
    )
    return night


def _execute(settings: Settings, run: str, log: Callable[[str], None]) -> NightRun:
    try:
        with quiet_history(), open_instance(settings, log) as instance:
            fail_dead_runs(instance)
            job = build_definitions(settings, log).resolve_job_def(JOB)
            result = job.execute_in_process(
                instance=instance, raise_on_error=False, run_id=run, tags={PROCESS: token(os.getpid())},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},  # dagster.yaml prints ours
            )  # fmt: skip
            _tidy(settings, instance, log)
    finally:
        build.discard_builds()
    failures = [reason_of(event.step_failure_data) for event in result.all_events if event.is_step_failure]
    if not result.success and not failures:
        is_stopped = any(map(_is_stop, result.all_events))
        failures = [STOPPED if is_stopped else "the run failed before a step started; Dagster's log says why"]
    try:
        return NightRun(tuple(failures), prove(settings))
    except HimsError as error:
        return NightRun(tuple(failures), None, str(error))


def _is_stop(event: dg.DagsterEvent) -> bool:
    """Whether a run ended here by an interruption between its steps."""
    return event.is_job_failure and event.job_failure_data.failure_reason == RunFailureReason.UNEXPECTED_TERMINATION


def _tidy(settings: Settings, instance: dg.DagsterInstance, log: Callable[[str], None]) -> None:
    """Remove what is past its time of Dagster's; that it cannot be removed is no reason for a red night."""
    try:
        clear_history(settings, instance)
    except Exception as error:
        log(f"Dagster's history was not cleared: {explain(error)}")
