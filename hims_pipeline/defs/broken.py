"""A source whose contract, code lists, corrections or suites do not hold: red on its own `landing/<source>`, while all
others go on. Not here: deliveries that are refused (`intake`)."""

import dagster as dg

from hims_pipeline.settings import Settings
from hims_pipeline.sources import broken_sources

CHECK = "holds"


def make_broken_landing(source: str) -> dg.AssetSpec:
    """The asset of a source of which nothing more can be said: its contract cannot be used."""
    return dg.AssetSpec(
        ["landing", source],
        group_name="landing",
        description=f"data/contracts/{source}.yml does not hold, so nothing of this source is taken in.",
        owners=[f"team:{source}"],
        kinds={"file"},
        metadata={"contract": f"data/contracts/{source}.yml"},
    )


def holds_check(settings: Settings, source: str) -> dg.AssetChecksDefinition:
    """Red while the source is broken; `Execute` looks again."""

    @dg.asset_check(asset=dg.AssetKey(["landing", source]), name=CHECK, description="What people edit for it holds.")
    def holds() -> dg.AssetCheckResult:
        problem = broken_sources(settings).get(source)
        return dg.AssetCheckResult(passed=problem is None, description=problem)

    return holds


def log_broken(context: dg.OpExecutionContext, settings: Settings) -> dict[str, str]:
    """Log each broken source, red on its asset; returns what is wrong with them."""
    broken = broken_sources(settings)
    for source, problem in broken.items():
        context.log.error(f"LEFT OUT {source}: {problem}")
        context.log_event(
            dg.AssetCheckEvaluation(  # type: ignore[arg-type] # Dagster takes it; its annotation lacks it
                asset_key=dg.AssetKey(["landing", source]),
                check_name=CHECK,
                passed=False,
                severity=dg.AssetCheckSeverity.ERROR,
                description=problem,
            )
        )
    return broken
