"""A part of the warehouse, chosen by hand: models or checks are built with their ancestors into a scratch file that is
thrown away. It shows whether they work; nothing of the warehouse or a release is written, so nothing is materialised.
"""

from collections.abc import Iterator

import dagster as dg

from hims_pipeline import build
from hims_pipeline.dbt import list_tests_run, run_dbt, seconds
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.settings import Settings

NOT_RUN = "Not run: it reads models outside the chosen part. The whole night runs it."


def try_part(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[dg.AssetCheckResult]:
    """Build what was chosen; checks get their results, assets an observation. Where checks alone were chosen, only what
    these read is built."""
    keys, checks = sorted(context.selected_asset_keys), sorted(context.selected_asset_check_keys)
    names = [key.path[-1] for key in keys] or [check.name for check in checks]
    context.log.info("A part of the warehouse: built with its ancestors into a scratch file, never published.")
    with installation_lock(settings, f"trying {len(names)} nodes", 3600, context.log.info):
        prepared = build.prepare(settings, context.run.run_id, context.log.info, full=True)
        try:
            run_dbt(settings, prepared, context.log.info, select=[f"+{name}" for name in names])
            results, ran = seconds(prepared), list_tests_run(prepared)
        finally:
            build.discard_build(prepared.folder)
    for key in keys:
        tried = {"tried": True, "seconds": results.get(key.path[-1])}
        context.log_event(
            dg.AssetObservation(key, description="Tried in a scratch file, and it works.", metadata=tried)
        )
    for check in checks:
        held = check.name in ran  # dbt's run would have failed otherwise
        yield dg.AssetCheckResult(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=held,
            severity=dg.AssetCheckSeverity.WARN,
            description=None if held else NOT_RUN,
        )
