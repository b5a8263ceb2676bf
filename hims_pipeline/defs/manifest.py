"""dagster-dbt as it is where dbt is not installed: it reads the manifest alone, which is all that is asked of it.

With dbt at hand it loads all of it (a third of what a quiet night loads, 100 MB) to select the nodes of a manifest, of
which we want every one. dbt itself runs in a process of its own (`hims_pipeline.dbt`).
"""

import sys

_known = sys.modules.get("dbt.version")
sys.modules["dbt.version"] = None  # type: ignore[assignment]  # importing it fails, as if it were not there
try:
    from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
finally:
    del sys.modules["dbt.version"]
    if _known is not None:
        sys.modules["dbt.version"] = _known

__all__ = ["DagsterDbtTranslator", "DagsterDbtTranslatorSettings", "dbt_assets"]
