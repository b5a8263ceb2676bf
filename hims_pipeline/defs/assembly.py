"""The one place where definitions are put together; tests call it with settings of their own."""

from collections.abc import Callable

import dagster as dg

from hims_pipeline.defs.broken import holds_check, make_broken_landing
from hims_pipeline.defs.nightly import LEFT_PENDING, TAKE_IN, nightly_job, take_in_asset
from hims_pipeline.defs.release import RELEASE, release_asset
from hims_pipeline.defs.sources import assets_of
from hims_pipeline.defs.warehouse import dbt_definition
from hims_pipeline.defs.watching import watching_sensors
from hims_pipeline.settings import Settings
from hims_pipeline.sources import broken_sources
from hims_pipeline.staging.in_force import find_in_force
from hims_pipeline.staging.render import ensure_rendered


def build_definitions(settings: Settings, log: Callable[[str], None] = print) -> dg.Definitions:
    """Assets, checks, job and schedule of an installation, from its `data/` and dbt's manifest of it."""
    assets, checks = [], []
    in_force = find_in_force(settings).contracts
    for contract in in_force.values():
        of_source, gate = assets_of(settings, contract)
        assets += of_source
        checks.append(gate)
    for source in broken_sources(settings):
        if source not in in_force:
            assets.append(make_broken_landing(source))
        checks.append(holds_check(settings, source))
    warehouse = dbt_definition(settings, ensure_rendered(settings, log))
    release, intact = release_asset(settings, [key for key in warehouse.keys if key.path[0] == "published"])
    night = dg.AssetSelection.assets(TAKE_IN, LEFT_PENDING, RELEASE, *warehouse.keys)
    job, schedule = nightly_job(settings, night)
    return dg.Definitions(
        assets=[*assets, take_in_asset(settings), warehouse, release],
        asset_checks=[*checks, intact],
        jobs=[job],
        schedules=[schedule],
        sensors=watching_sensors(settings, job),
        executor=dg.in_process_executor,
    )
