"""What makes the rendered project a whole one for dbt's own tools: published columns with their types and descriptions,
held as contracts; the validated entities as sources; who reads a release as exposures. Not here: models and their SQL
(`models.py`, `indicators.py`), what a column means (`contracts.catalogue`)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hims_pipeline.contracts.catalogue import Catalogue
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.settings import Settings
from hims_pipeline.staging.names import rendered_type

PUBLISHED, COLUMNS = "models/published/published.yml", "published.yml"
# Days after the end of a period by which the next delivery is late: one more period, and a month to send it.
LATE_DAYS = {"year": 761, "academic_year": 761, "quarter": 212, "month": 92, "week": 44}


def published_models(settings: Settings, tree: Path) -> dict[str, Any]:
    """The properties of what is published, each column with type and description, as an enforced contract."""
    catalogue, properties = Catalogue(settings, "en"), read_yaml(tree / PUBLISHED)
    types: dict[str, dict[str, str]] = read_yaml(tree / COLUMNS)
    for model in properties["models"]:
        given = {column["name"]: column for column in model.get("columns", ())}
        model["config"] = {**model.get("config", {}), "contract": {"enforced": True}}
        model["columns"] = [
            {"name": name, "data_type": rendered_type(kind), "description": catalogue.column(model["name"], name)}
            | given.get(name, {})
            for pattern, kind in types[model["name"]].items()
            for name in _names(catalogue, pattern)
        ]
    described: dict[str, Any] = properties
    return described


def _names(catalogue: Catalogue, pattern: str) -> list[str]:
    if pattern == "{breakdown}":
        return sorted(catalogue.breakdowns)
    if "{language}" in pattern:
        return [pattern.replace("{language}", language) for language in catalogue.languages]
    return [pattern]


def sources(contracts: Iterable[Contract]) -> dict[str, Any]:
    """The validated entities as dbt's sources. Their assets in Dagster are one a source, `validated/<source>`.

    Freshness asks the build's own list of inputs: the last day that a source's batches cover.
    """
    tables = [
        {
            "name": f"{contract.source}__{name}",
            "description": f"{contract.title.en}: {entity.title.en}, accepted batches. Grain: {entity.grain}.",
            "config": {
                "meta": {"dagster": {"asset_key": ["validated", contract.source]}, "cadence": contract.cadence},
                "loaded_at_query": _last_day(contract.source, name),
                "freshness": _freshness(contract),
            },
        }
        for contract in contracts
        for name, entity in contract.entities.items()
    ]
    description = "Batches that passed the gate and count in this build, as Parquet; read by `read_batches` alone."
    return {"version": 2, "sources": [{"name": "validated", "description": description, "tables": tables}]}


def _last_day(source: str, entity: str) -> str:
    columns = "{source: 'varchar', entity: 'varchar', period_end_date: 'timestamp'}"
    return (
        f"select max(period_end_date) from read_json('{{{{ env_var(\"HIMS_INPUTS\") }}}}', columns = {columns})"
        f" where source = '{source}' and entity = '{entity}'"
    )


def _freshness(contract: Contract) -> dict[str, Any] | None:
    days = LATE_DAYS.get(contract.period.pattern)
    return {"warn_after": {"count": days, "period": "day"}} if days and contract.period.kind != "edition" else None


def exposures(owner: str, contact: str, models: list[str]) -> dict[str, Any]:
    """Who reads what is published: the release itself, and what people ask of it.

    Args:
        owner, contact: of the observatory.
        models: names of the published models.
    """
    owned = {"owner": {"name": owner, "email": contact}}
    depends = [f"ref('{name}')" for name in models]
    return {
        "version": 2,
        "exposures": [
            {
                "name": "release", "type": "application", "maturity": "high", **owned, "depends_on": depends,
                "description": "The public DuckDB file and Parquet of each release, sealed and audited.",
            },
            {
                "name": "queries", "type": "analysis", "maturity": "high", **owned, "depends_on": depends,
                "description": "`hims query` and `hims_pipeline.connect()`: what analysts ask of a release.",
            },
        ],
    }  # fmt: skip
