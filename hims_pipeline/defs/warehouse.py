"""dbt's models, seeds and tests as assets and checks, from dbt's manifest of the present `data/`.

The whole selection builds the candidate of a release. Not here: any smaller one (`scratch`).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg

from hims_pipeline import build
from hims_pipeline.dbt import Finished, nodes_that_stand, stream_dbt
from hims_pipeline.defs.intake import POOL
from hims_pipeline.defs.manifest import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from hims_pipeline.defs.nightly import TAKE_IN
from hims_pipeline.defs.plain import plain_failures
from hims_pipeline.defs.release import intact_check
from hims_pipeline.defs.scratch import try_part
from hims_pipeline.errors import HimsError
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.plain_file import read_json
from hims_pipeline.release import holds
from hims_pipeline.release.night_proof import Proof, prove
from hims_pipeline.release.publish import find_existing_release
from hims_pipeline.settings import Settings
from hims_pipeline.staging.inputs import input_rows, inputs_sha256
from hims_pipeline.staging.render import MANIFEST


class LayerTranslator(DagsterDbtTranslator):
    """Keys `[layer, table]`, the layer as group; staging follows the intake and the source's accepted batches.

    It waits for no period of these: which batches count is read from their folders. Else `Materialize all`, a backfill,
    would build in parts, none of which is a warehouse, and nothing where one period is refused.
    """

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project) -> dg.AssetSpec:
        node = {**manifest["nodes"], **manifest.get("sources", {})}[unique_id]
        spec = super().get_asset_spec(manifest, unique_id, project)
        deps = list(spec.deps)
        if node["schema"] == "staging" and node["name"].startswith("stg_"):
            deps.append(dg.AssetDep(TAKE_IN))
        return spec.replace_attributes(
            key=self.get_asset_key(node), deps=deps, group_name=node["schema"], owners=["team:observatory"]
        )

    def get_partition_mapping(
        self,
        dbt_resource_props: Mapping[str, Any],  # noqa: ARG002 - dagster-dbt gives it
        dbt_parent_resource_props: Mapping[str, Any],
    ) -> dg.PartitionMapping | None:
        is_source = dbt_parent_resource_props["resource_type"] == "source"
        return dg.SpecificPartitionsPartitionMapping([]) if is_source else None

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":  # entities of one source are one asset
            return dg.AssetKey(dbt_resource_props["config"]["meta"]["dagster"]["asset_key"])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])


def dbt_definition(settings: Settings, tree: Path):
    """One multi-asset over all of dbt.

    Args:
        tree: the rendered tree whose manifest gives the graph.
    """

    @dbt_assets(
        manifest=tree / MANIFEST,
        dagster_dbt_translator=LayerTranslator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)),
        name="dbt",
        pool=POOL,
    )
    def warehouse(context: dg.AssetExecutionContext):
        with plain_failures():
            yield from try_part(context, settings) if context.is_subset else _require_whole(context, settings)

    return warehouse


def _require_whole(context: dg.AssetExecutionContext, settings: Settings):
    """The candidate of a release: every node, or a failure. A quiet night builds nothing, proves what stands, and
    tells of every check what the build of the same inputs found."""
    with installation_lock(settings, f"building in run {context.run.run_id[:8]}", 3600, context.log.info):
        if (proof := _find_standing(settings, context.log.warning)) is not None:
            holds.let_go(settings)  # what was held is no longer what there is
            context.log.info(f"Nothing to build: {proof.why}")
            inputs = proof.release.manifest("staff")["inputs_sha256"]
            context.log_event(intact_check(proof.release, []))
            _look_up_materialisations(context)
            yield from _check_results(context, nodes_that_stand(settings, inputs))
            return
        prepared = build.prepare(settings, context.run.run_id, context.log.info)
        whole = False
        try:
            rows = prepared.inputs()
            context.log.info(f"building from {len(rows)} files, {sum(row['rows'] for row in rows):,} rows")
            yield from _events(context, prepared, stream_dbt(settings, prepared, context.log.info))
            whole = True
        finally:
            if not whole:
                build.discard_build(prepared.folder)  # its space is free at once; the reasons have been told


def _find_standing(settings: Settings, log: build.Log) -> Proof | None:
    """The proof of the release that stands tonight without a build; None where one must be built.

    Raises:
        ReleaseError: the release of the present inputs is there, and may not be the current one.
    """
    with suppress(HimsError):
        return prove(settings)
    if find_existing_release(settings, inputs_sha256(settings, input_rows(settings)), log) is None:
        return None
    return prove(settings)


def _events(context: dg.AssetExecutionContext, prepared: build.Build, nodes: Iterator[Finished]):
    """Materialisations and check results of dbt's nodes while it goes through them.

    Raises:
        HimsError: dbt is done, and an asset of the graph was not among what it built.
    """
    manifest = read_json(prepared.tree / MANIFEST)["nodes"]
    waiting = set(context.selected_asset_keys)
    for node in nodes:
        yield from _check_results(context, [node])  # at once, so that a long build is seen while it runs
        if node.kind in ("model", "seed") and node.status == "success":
            key = dg.AssetKey([manifest[node.unique_id]["schema"], node.name])
            if key in waiting:
                waiting.remove(key)
                yield dg.MaterializeResult(asset_key=key, metadata=_describe_node(node))
    if waiting:
        first = min(waiting).to_user_string()
        raise HimsError(f"dbt built no {first}, which the graph shows: `data/` changed since it was loaded. Reload it.")


def _check_results(context: dg.AssetExecutionContext, nodes: Iterable[Finished]) -> Iterator[dg.AssetCheckResult]:
    """The results of tests, where the graph shows them as checks."""
    asked = {key.name: key for key in context.selected_asset_check_keys}
    for node in nodes:
        if node.kind == "test" and node.name in asked:
            yield dg.AssetCheckResult(
                asset_key=asked[node.name].asset_key,
                check_name=node.name,
                passed=node.status == "pass",
                severity=dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR,
                metadata=_describe_node(node) | ({} if node.failures is None else {"rows_found": node.failures}),
            )


def _look_up_materialisations(context: dg.AssetExecutionContext) -> None:
    """What each check is about, in a few queries: else Dagster asks for each when its result is yielded."""
    known = context.op_execution_context.get_step_execution_context()._data_version_cache
    known._fetch_input_asset_version_info(list({key.asset_key for key in context.selected_asset_check_keys}))


def _describe_node(node: Finished) -> dict[str, Any]:
    return {"seconds": node.seconds, "unique_id": node.unique_id, "carried_over": node.carried}
