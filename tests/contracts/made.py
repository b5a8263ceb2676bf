"""A small contract for tests: one entity, `people`, of the source `demo`."""

from typing import Any

from hims_pipeline.contracts.model import Contract


def contract_of(columns: list[dict[str, Any]], contract: dict[str, Any] | None = None, **entity: Any) -> Contract:
    """A contract with these columns; `entity` gives further keys of the entity, `contract` of the contract."""
    people = {"title": {"en": "People"}, "grain": "a person", "files": ["people*"], "columns": columns, **entity}
    return Contract.model_validate(
        {
            "source": "demo",
            "title": {"en": "Demo"},
            "description": "For tests.",
            "data_kind": "synthetic",
            "owner": {"institution": "none", "contact": "none"},
            "licence": {"name": "none", "attribution": "none", "redistributable": True},
            "purpose": "tests",
            "legal": {"basis": "none", "retention_years": 1},
            "cadence": "annual",
            "period": {"pattern": "year"},
            "clock": "none",
            "universe": "all",
            "duration_rule": "NONE",
            "measure_type": "stock",
            "entities": {"people": people},
            **(contract or {}),
        }
    )
