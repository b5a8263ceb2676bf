"""dbt's models, seeds and tests as assets and checks, from dbt's manifest of the present `data/`.

The whole selection builds the candidate of a release. Any smaller one builds the chosen models and their ancestors into
a scratch file that is thrown away: it shows whether they work, and publishes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from hims_pipeline import build
from hims_pipeline.defs.nightly import TAKE_IN
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release.publish import standing
from hims_pipeline.settings import Settings, export
from hims_pipeline.staging import render
from hims_pipeline.staging.inputs import input_rows, inputs_sha256


class LayerTranslator(DagsterDbtTranslator):
    """Keys `[layer, table]`, the layer as group; staging follows the intake and the source's accepted batches."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project) -> dg.AssetSpec:
        node = {**manifest["nodes"], **manifest.get("sources", {})}[unique_id]
        spec = super().get_asset_spec(manifest, unique_id, project)
        deps = list(spec.deps)
        if node["schema"] == "staging" and node["name"].startswith("stg_"):
            source = node["config"].get("meta", {}).get("source")
            deps += [dg.AssetDep(TAKE_IN)] + ([dg.AssetDep(["validated", source])] if source else [])
        return spec.replace_attributes(
            key=self.get_asset_key(node), deps=deps, group_name=node["schema"], owners=["team:observatory"]
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])


def dbt_definition(settings: Settings, tree: Path):
    """One multi-asset over all of dbt.

    Args:
        tree: the rendered tree whose manifest gives the graph.
    """

    @dbt_assets(
        manifest=tree / "target/manifest.json",
        dagster_dbt_translator=LayerTranslator(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=False)),
        name="dbt",
        pool="duckdb_build",
    )
    def warehouse(context: dg.AssetExecutionContext):
        if context.is_subset:
            yield from _scratch(context, settings)
        else:
            yield from _whole(context, settings)

    return warehouse


def _whole(context: dg.AssetExecutionContext, settings: Settings):
    with installation_lock(settings, f"building in run {context.run.run_id[:8]}", 3600, context.log.info):
        rows = input_rows(settings)
        if (done := standing(settings, inputs_sha256(settings, rows), context.log.warning)) is not None:
            context.log.info(f"Nothing changed since {done.id}: same batches, rules and code. It stays the release.")
            return
        prepared = build.prepare(settings, context.run.run_id, context.log.info)
        context.log.info(f"building from {len(rows)} files, {sum(row['rows'] for row in rows):,} rows")
        export(prepared.environment(settings))
        dbt = DbtCliResource(
            project_dir=str(prepared.tree),
            profiles_dir=str(prepared.tree),
            dbt_executable=render.dbt_executable(),
        )
        invocation = dbt.cli(["build"], context=context, target_path=prepared.target, raise_on_error=False)
        yield from invocation.stream()
        if failed := build.failures(prepared):
            raise dg.Failure("dbt build failed:\n" + "\n".join(failed), allow_retries=False)


def _scratch(context: dg.AssetExecutionContext, settings: Settings):
    names = [key.path[-1] for key in context.selected_asset_keys]
    context.log.info("A part of the warehouse: built with its ancestors into a scratch file, never published.")
    with installation_lock(settings, f"trying {len(names)} models", 3600, context.log.info):
        prepared = build.prepare(settings, context.run.run_id, context.log.info)
        try:
            build.run_dbt(settings, prepared, context.log.info, select=[f"+{name}" for name in names])
            results, tested = build.results(prepared), build.tested(prepared)
        finally:
            build.give_up(prepared.folder)
    for key in context.selected_asset_keys:
        yield dg.MaterializeResult(asset_key=key, metadata={"scratch": True, "seconds": results.get(key.path[-1])})
    for check in context.selected_asset_check_keys:
        ran = check.name in tested  # and held: dbt's run would have failed otherwise
        yield dg.AssetCheckResult(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=ran,
            severity=dg.AssetCheckSeverity.WARN,
            description=None if ran else "Not run: it reads models outside the chosen part. The whole night runs it.",
        )
