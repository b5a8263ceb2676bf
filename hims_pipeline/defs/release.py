"""The release as an asset: published from the build of the same run, or not at all."""

from typing import Any

import dagster as dg

from hims_pipeline import build
from hims_pipeline.defs.plain import plain_failures
from hims_pipeline.release import store
from hims_pipeline.release.night_proof import prove
from hims_pipeline.release.publish import publish
from hims_pipeline.settings import Settings

RELEASE = dg.AssetKey(["release", "current"])


def release_asset(settings: Settings, published: list[dg.AssetKey]):
    """The asset that publishes a release, and its check."""

    @dg.asset(
        key=RELEASE,
        group_name="release",
        deps=published,
        kinds={"duckdb", "parquet"},
        owners=["team:observatory"],
        description=(
            "The release that readers get: a public and a staff file, hashed, audited by a fresh process, immutable. "
            "Publishing checks dbt's own results and the candidate's hash, whatever Dagster's state says, and ends "
            "with the proof that the current release is that of the present inputs."
        ),
    )
    def current(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        with plain_failures():
            prepared = build.reopen_build(settings, context.run.run_id)
            try:
                publish(settings, prepared, context.log.info)
            finally:
                build.discard_build(prepared.folder)
            proof = prove(settings)
            context.log.info(proof.why)
            return dg.MaterializeResult(metadata=_metadata(proof.release) | {"proof": proof.why})

    @dg.asset_check(
        asset=RELEASE, name="intact", description="Every file of the current release is what its manifest says."
    )
    def check_intact() -> dg.AssetCheckResult:
        now = store.current_release(settings)
        damaged = store.verify_release(settings, now) if now else ["nothing has been published yet"]
        check_result = intact_check(now, damaged)
        return dg.AssetCheckResult(passed=check_result.passed, metadata=check_result.metadata)

    return current, check_intact


def intact_check(release: store.Release | None, damaged: list[str]) -> dg.AssetCheckEvaluation:
    """What `intact` tells, also on a night on which nothing is published and Dagster skips what stands behind."""
    return dg.AssetCheckEvaluation(
        asset_key=RELEASE,
        check_name="intact",
        passed=not damaged,
        metadata={"damaged": damaged, "release": release.id if release else ""},
    )


def _metadata(release: store.Release) -> dict[str, Any]:
    manifest = release.manifest()
    figures = release.figures()
    return {
        "release": release.id,
        "figures": figures["rows"],
        "content_hash": figures["content_hash"],
        "contains_synthetic_data": manifest["contains_synthetic_data"],
        "notes": dg.MetadataValue.md((release.public / "RELEASE_NOTES.md").read_text(encoding="utf-8")),
        "folder": dg.MetadataValue.path(release.folder),
        "plots": dg.MetadataValue.path(release.public / "plots"),
    }
