"""All models of the project and one record more, built on no rows; no dbt runs."""

import shutil
from pathlib import Path

import pytest

from hims_pipeline.contracts.load import read_yaml
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.staging.seeds import as_yaml
from tests.warehouse import Warehouse

BATCH = {
    "source": "s", "batch_id": "b", "data_kind": "real", "vintage": "_Z", "duration_rule": "NONE", "universe": "u",
    "freq": "M", "time_period": "2024-01", "period_start_date": "2024-01-01", "period_end_date": "2024-01-31",
    "ref_country": "XNL",
}  # fmt: skip
NEW = {
    "code": "C18", "name": {"en": "Returned who invest", "fr": "Retour", "ar": "عائدون"},
    "definition": {"en": "-", "fr": "-", "ar": "-"},
    "unit_measure": "PERCENT", "measure_type": "ratio", "framework": "-", "universe": "returned", "sources": ["s"],
    "ref_area_side": "country", "ref_area": "-", "status": "computed", "publish": True, "cells": [[], ["sex"]],
    "formula": [{
        "fact": "migrants", "kind": "share", "cells": [[], ["sex"]], "measure": "has_invested = 'YES'",
        "domain": "migrant_group = 'RETURN_MIGRANT' and has_invested in ('YES', 'NO')",
    }],
}  # fmt: skip


def with_record(root: Path, **changes) -> Settings:
    """Our own data and a new indicator, by its record alone."""
    shutil.copytree(REPOSITORY / "data", root / "data", ignore=shutil.ignore_patterns("samples"))
    path = root / "data/indicators/C-structure.yml"
    records = read_yaml(path)
    formula = [NEW["formula"][0] | changes.pop("formula", {})]
    records["indicators"].append(NEW | {"formula": formula} | changes)
    path.write_text(as_yaml(records), encoding="utf-8")
    return Settings(REPOSITORY, root / "data", REPOSITORY / "expectations", root / "home", env="test")


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("warehouse")
    made = Warehouse(with_record(root), root)
    made.build()
    return made
