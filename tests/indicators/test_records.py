"""What records of indicators may say, and what is named where one does not hold."""

import shutil
from pathlib import Path

import duckdb
import pytest

from hims_pipeline.contracts.facts import load_facts
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.load import read_yaml
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.staging.indicators import write_indicators
from hims_pipeline.staging.seeds import as_yaml
from tests.indicators.conftest import with_record


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REPOSITORY / "dbt_project/models/indicators", tmp_path / "indicators"))


def written(data: Path, models: Path) -> list[str]:
    with duckdb.connect() as con:
        return write_indicators(con, models, load_indicators(data), set(load_facts()))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"formula": {"fact": "migrant"}}, "no fact migrant"),
        ({"formula": {"measure": "has_invested = (select 1)"}}, "own columns and nothing else"),
        ({"formula": {"domain": "true) or (true"}}, "syntax error"),
        ({"formula": {"measure": "{{ this }}"}}, "template"),
        ({"formula": {"cells": [[], ["sector"]]}}, "sector is no dimension of it"),
        ({"formula": {"cells": [[], []]}}, "a cell stands twice"),
        ({"formula": {"dimensions": {"age": "broad_age_group"}}}, "no cell has age"),
        ({"formula": {"kind": "total", "parts": ["sex"]}}, "only a share has parts"),
        ({"formula": {"kind": "mean"}}, "a mean or quantile has a `value`"),
        ({"formula": {"kind": "mean", "value": "age_years", "measure": "sex = 'M'"}}, "has no `measure`"),
        ({"formula": {"kind": "share", "value": "age_years"}}, "a mean or quantile has a `value`"),
        ({"formula": {"kind": "difference"}}, "a difference, and nothing else, is `against`"),
        ({"formula": {"kind": "share", "against": "sex = 'F'"}}, "a difference, and nothing else, is `against`"),
        ({"status": "planned", "publish": False, "cells": []}, "says why it is absent, and has no formula"),
        ({"absence": "NO_METHOD"}, "says why it is absent"),
    ],
)
def test_a_formula_that_does_not_hold_is_named(tmp_path: Path, models: Path, changes, says: str) -> None:
    settings = with_record(tmp_path, **changes)
    with pytest.raises(ContractError, match=says):
        written(settings.data, models)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("b99_nobody", "B99 has a model, and no record that says"),
        ("c18_returned_who_invest", "stands there already"),
    ],
)
def test_a_model_without_its_record_is_named(tmp_path: Path, models: Path, name: str, says: str) -> None:
    (models / f"{name}.sql").write_text("select 1", encoding="utf-8")
    with pytest.raises(ContractError, match=says):
        written(with_record(tmp_path).data, models)


def test_what_is_said_to_be_computed_has_a_formula_or_a_model(tmp_path: Path, models: Path) -> None:
    settings = with_record(tmp_path)
    path = settings.data / "indicators/C-structure.yml"
    path.write_text(as_yaml({"indicators": [_without_formula(one) for one in read_yaml(path)["indicators"]]}))
    with pytest.raises(ContractError, match="C18 is computed, and neither has a formula nor a model c18_"):
        written(settings.data, models)


def _without_formula(record: dict) -> dict:
    return {k: v for k, v in record.items() if k != "formula" or record["code"] != "C18"}
