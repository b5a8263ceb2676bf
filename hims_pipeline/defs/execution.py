"""Running the nightly job in this process, on the installation's own Dagster instance."""

import os
from pathlib import Path

import dagster as dg

from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.defs.nightly import JOB
from hims_pipeline.settings import Settings

PROCESS = "hims/process"
UNFINISHED = [
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.CANCELING,
]


def _token(pid: int) -> str:
    """A process, by number and start time: numbers are used again."""
    stat = Path(f"/proc/{pid}/stat")
    return f"{pid}:{stat.read_text().rsplit(')', 1)[1].split()[19]}" if stat.exists() else f"{pid}:gone"


def fail_dead_runs(settings: Settings, *, every: bool = False) -> list[str]:
    """Mark runs whose process was killed as failed, and free what they held; returns their ids.

    Args:
        every: also runs that Dagster's launcher started: right only where no daemon or webserver runs yet.
    """
    ended = []
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
            token = run.tags.get(PROCESS)
            alive = token is not None and _token(int(token.split(":")[0])) == token
            if alive or (token is None and not every):
                continue
            instance.report_run_failed(run, "its process is gone; what it left is cleared away by the next run")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended.append(run.run_id)
    return ended


def execute_nightly(settings: Settings) -> list[str]:
    """Run `nightly` in this process; returns why it failed, nothing when it succeeded, whatever it refused."""
    fail_dead_runs(settings)
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        job = build_definitions(settings).resolve_job_def(JOB)
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, tags={PROCESS: _token(os.getpid())},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},  # dagster.yaml prints our lines
        )  # fmt: skip
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    if not result.success and not failures:
        return ["the run failed before a step started; Dagster's log says why"]
    return [_reason(failure) for failure in failures]


def _reason(failure) -> str:
    """The innermost message of a failed step, without its stack."""
    if failure.user_failure_data is not None:
        return str(failure.user_failure_data.description)
    error = failure.error
    while error.cause is not None:
        error = error.cause
    return error.message.strip()
