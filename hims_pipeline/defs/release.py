"""The release as an asset: published from the build of the same run, or not at all."""

import dagster as dg

from hims_pipeline import build
from hims_pipeline.release import store
from hims_pipeline.release.publish import publish
from hims_pipeline.settings import Settings

RELEASE = dg.AssetKey(["release", "current"])


def release_asset(settings: Settings, published: list[dg.AssetKey]):
    @dg.asset(
        key=RELEASE,
        group_name="release",
        deps=published,
        kinds={"duckdb", "parquet"},
        owners=["team:observatory"],
        description=(
            "The release that readers get: a public and a staff file, hashed, audited by a fresh process, immutable. "
            "Publishing checks dbt's own results and the candidate's hash, whatever Dagster's state says."
        ),
    )
    def current(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        release = publish(settings, build.reopen(settings, context.run.run_id), context.log.info)
        manifest = release.manifest()
        figures = manifest["tables"]["published.indicator_value"]
        return dg.MaterializeResult(
            metadata={
                "release": release.id,
                "figures": figures["rows"],
                "content_hash": figures["content_hash"],
                "contains_synthetic_data": manifest["contains_synthetic_data"],
                "notes": dg.MetadataValue.md((release.public / "RELEASE_NOTES.md").read_text(encoding="utf-8")),
                "folder": dg.MetadataValue.path(release.folder),
            }
        )

    @dg.asset_check(asset=RELEASE, description="Every file of the current release is what its manifest says.")
    def intact() -> dg.AssetCheckResult:
        now = store.current(settings)
        damaged = store.verify(settings, now) if now else ["nothing has been published yet"]
        return dg.AssetCheckResult(passed=not damaged, metadata={"damaged": damaged, "release": now.id if now else ""})

    return current, intact
