"""Dagster's own history, kept for as long as `policies.keep_runs_days` says: runs, their events, and what their steps
handed on. What a period was found to be is shown again by the next night (`checks`). Not here: our records of nights,
which stay longer (`watch.nights`)."""

import shutil
from datetime import UTC, datetime, timedelta

import dagster as dg

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import Settings

MOST_AT_ONCE = 200  # runs a call: a night must not wait for years of history
OVER = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def clear_history(settings: Settings, instance: dg.DagsterInstance, now: datetime | None = None) -> list[str]:
    """Delete runs that ended before the time that is kept, and folders of runs that are gone; returns the runs' ids.

    The newest run of each job stays, whatever its age.
    """
    days = load_observatory(settings.data).policies.keep_runs_days
    before = (now or datetime.now(UTC)) - timedelta(days=days)
    old = instance.get_run_records(
        dg.RunsFilter(statuses=OVER, created_before=before), limit=MOST_AT_ONCE, ascending=True
    )
    newest = {run.run_id for run in instance.get_runs(limit=1)}
    gone = [record.dagster_run.run_id for record in old if record.dagster_run.run_id not in newest]
    for run in gone:
        instance.delete_run(run)
    _remove_folders(settings, instance)
    return gone


def _remove_folders(settings: Settings, instance: dg.DagsterInstance) -> None:
    """What steps of runs handed on (`storage/<run>/`), for runs that the instance does not know any more."""
    storage = settings.dagster_home / "storage"
    folders = [path for path in storage.glob("*-*-*-*-*") if path.is_dir()] if storage.is_dir() else []
    for folder in folders:
        if not instance.has_run(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
