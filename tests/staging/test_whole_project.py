"""The rendered project is one that dbt people know: sources, contracts, exposures, groups, held against its tables."""

import csv

import pytest

from hims_pipeline.contracts.indicators import code_in_name
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.staging.names import rendered_type
from tests.warehouse import Warehouse, order_of


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("whole")
    made = Warehouse(
        Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", root / "home", env="test"), root
    )
    made.build()
    return made


def properties(warehouse: Warehouse, path: str, kind: str) -> dict[str, dict]:
    return {one["name"]: one for one in read_yaml(warehouse.tree / "models" / path)[kind]}


def test_every_published_model_is_a_contract_of_the_columns_it_has(warehouse: Warehouse) -> None:
    models = properties(warehouse, "published/published.yml", "models")
    assert set(models) == {path.stem for path in (warehouse.tree / "models/published").glob("*.sql")}
    for name, model in models.items():
        described = warehouse.con.execute(f"describe {name}").fetchall()
        built = [(column, rendered_type(kind.lower())) for column, kind, *_ in described]
        assert [(column["name"], column["data_type"]) for column in model["columns"]] == built, name
        assert model["config"]["contract"]["enforced"]
        assert model["description"]
        assert [column["name"] for column in model["columns"] if not column["description"]] == [], name


def test_every_validated_entity_is_a_source_that_its_view_reads(warehouse: Warehouse) -> None:
    (source,) = read_yaml(warehouse.tree / "models/staging/sources.yml")["sources"]
    tables = {table["name"]: table["config"] for table in source["tables"]}
    contracts = load_contracts(REPOSITORY / "data")
    assert set(tables) == {f"{c.source}__{name}" for c in contracts.values() for name in c.entities}
    read = "".join(path.read_text(encoding="utf-8") for path in (warehouse.tree / "models/staging").glob("*.sql"))
    for name, config in tables.items():
        assert f"source('validated', '{name}')" in read
        assert config["meta"]["dagster"]["asset_key"] == ["validated", name.split("__")[0]]
    assert tables["border_crossings__passages"]["freshness"]["warn_after"] == {"count": 92, "period": "day"}
    assert tables["un_wpp__components"]["freshness"] is None  # editions come when they come


def test_figures_taken_over_rest_on_no_register_and_no_list_of_batches(warehouse: Warehouse) -> None:
    """So a delivery of records leaves them where they are."""
    behind = {part: set(order_of(warehouse.texts(), [f"ind_observation__{part}"])) for part in ("judged", "taken_over")}
    contracts = load_contracts(REPOSITORY / "data").values()
    records = {c.source for c in contracts if c.personal or c.design} | {"student_departures"}
    touched = {name for name in behind["taken_over"] if name.startswith("stg_") and name[4:].split("__")[0] in records}
    assert touched == set()
    assert not behind["taken_over"] & {"dim_batch", "ind_disclosed", "ind_figures__judged"}
    figures = {
        part: {
            name for name in needed if code_in_name(name) and f"from {name}" in warehouse.sql[f"ind_figures__{part}"]
        }
        for part, needed in behind.items()
    }
    assert {"a07_migrants_abroad", "a18_immigrants", "b34_flows_from_stocks"} <= figures["taken_over"]
    assert {"p02_births", "b14_border_passages", "b28_student_departures"} <= figures["judged"]
    assert figures["judged"] | figures["taken_over"] == {name for name in warehouse.sql if code_in_name(name)}
    assert not figures["judged"] & figures["taken_over"]


def test_exposures_depend_on_all_that_is_published_and_layers_are_groups(warehouse: Warehouse) -> None:
    models = properties(warehouse, "published/published.yml", "models")
    for exposure in properties(warehouse, "published/exposures.yml", "exposures").values():
        assert exposure["depends_on"] == [f"ref('{name}')" for name in models]
    groups = properties(warehouse, "groups.yml", "groups")
    layers = read_yaml(warehouse.tree / "dbt_project.yml")["models"]["hims"]
    assert {name: layer["+group"] for name, layer in layers.items() if name[0] != "+"} == {
        name: name for name in groups
    }
    assert {name for name in groups if layers[name]["+access"] == "public"} == {"reference", "published"}


def test_the_list_of_tables_is_what_the_models_give(warehouse: Warehouse) -> None:
    with (REPOSITORY / "docs/dictionary/tables.csv").open(encoding="utf-8", newline="") as file:
        listed: dict[str, list[str]] = {}
        for row in csv.DictReader(file):
            listed.setdefault(row["table"], []).append(row["column"])
    for layer in ("indicators", "published", "conformed"):
        for path in (warehouse.tree / "models" / layer).glob("*.sql"):
            if path.stem != "fct_person_links":  # no release holds it
                built = [name for name, *_ in warehouse.con.execute(f"describe {path.stem}").fetchall()]
                assert listed[path.stem] == built, f"{path.stem}: make run, then hims docs --counted"
