"""A build on Spark: the profile's target `spark`, on the rendered tree and the list of inputs that any build has.

    build/<run>/tables/<schema>.db/<table>/    a table as Parquet files

Spark builds and tests all that stands before disclosure control, which is a program over DuckDB. Nothing of it is
published, and the next build on DuckDB clears it away. Not here: what the engines say differently
(`dbt_project/macros/dialect.sql`), Spark's settings (`dbt_project/profiles.yml`).
"""

import importlib.util
import shutil
import sys
from pathlib import Path

from hims_pipeline.build import Build, Log
from hims_pipeline.dbt import Finished, follow_command
from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings
from hims_pipeline.staging.inputs import verify_inputs

PROGRAM = Path(__file__).with_name("spark_dbt.py")
LEFT_OUT = "ind_disclosed+"  # disclosure control and what reads it, in dbt's syntax


def require_spark() -> None:
    """
    Raises:
        HimsError: the packages of the extra `spark` are not installed, or there is no Java to run Spark.
    """
    if any(importlib.util.find_spec(name) is None for name in ("pyspark", "dbt.adapters.spark")):
        raise HimsError(
            "Spark is not installed here: `pip install --require-hashes --no-deps -r requirements-spark.lock` adds it."
        )
    if shutil.which("java") is None:
        raise HimsError("Spark needs Java 17, and there is none on the PATH (Debian: openjdk-17-jre-headless).")


def build_on_spark(settings: Settings, build: Build, log: Log, select: list[str] | None = None) -> list[Finished]:
    """Build and test on Spark what stands before disclosure control, or a part of it; returns what dbt did.

    Args:
        select: names of models in dbt's syntax; all without it.

    Raises:
        HimsError: Spark is not installed; a model or test failed, says which; dbt died or left no results.
        Damaged: an input is not what was accepted.
    """
    require_spark()
    command = [sys.executable, "-I", str(PROGRAM), "build", "--target", "spark", "--project-dir", str(build.tree)]
    chosen = ["--select", *select] if select else []
    command += [*chosen, "--exclude", LEFT_OUT, "--indirect-selection", "buildable"]
    finished = list(follow_command(settings, build, command, log))
    verify_inputs(settings, build.inputs())
    return finished
