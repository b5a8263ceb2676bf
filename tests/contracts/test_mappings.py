"""A mapping is checked by type when its contract loads, pair by pair; what loads cannot fail behind the gate."""

import itertools
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from hims_pipeline.contracts.columns import Column, ColumnMap
from hims_pipeline.contracts.facts import FactColumn, check_feeds, load_fact_columns
from hims_pipeline.contracts.mappings import mapping_problems
from hims_pipeline.contracts.model import Contract, Entity
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.staging.lookups import Lookups
from hims_pipeline.staging.models import _expression
from hims_pipeline.staging.names import staged_name, staged_type
from tests.contracts.made import contract_of

COLUMNS: dict[str, dict[str, Any]] = {
    "integer": {"type": "integer"},
    "decimal": {"type": "decimal", "scale": 2},
    "number": {"type": "number"},
    "text": {"type": "text"},
    "identifier": {"type": "text", "sensitivity": "identifier"},
    "date": {"type": "date"},
    "boolean": {"type": "boolean"},
}
TARGETS = ["varchar", "integer", "bigint", "decimal(38,15)", "double", "date", "boolean"]
MAPPINGS: dict[str, dict[str, Any]] = {
    "plain": {"from": "x"},
    "codes": {"from": "x", "codes": {"1": "1"}},
    "crosswalk": {"from": "x", "crosswalk": "S"},
    "multiply": {"from": "x", "multiply": 1000},
    "default": {"from": "x", "default": "1"},
    "taken": {"from": "x", "take": "missing"},
}
GOES = {
    *(("plain", "integer", to) for to in ("varchar", "integer", "bigint", "decimal(38,15)", "double")),
    *(("plain", kind, to) for kind in ("decimal", "number") for to in ("decimal(38,15)", "double")),
    *(("plain", kind, "varchar") for kind in ("text", "identifier")),
    ("plain", "date", "date"),
    ("plain", "boolean", "boolean"),
    *(("codes", kind, to) for kind in ("integer", "decimal", "number", "text", "boolean")
      for to in TARGETS if to != "date"),
    *(("crosswalk", kind, "varchar") for kind in ("integer", "text")),
    *(("multiply", "integer", to) for to in ("integer", "bigint", "decimal(38,15)", "double", "varchar")),
    *(("multiply", kind, to) for kind in ("decimal", "number") for to in ("decimal(38,15)", "double")),
    ("multiply", "decimal", "integer"), ("multiply", "decimal", "bigint"),
    *(("default", "integer", to) for to in ("varchar", "integer", "bigint", "decimal(38,15)", "double")),
    *(("default", kind, to) for kind in ("decimal", "number") for to in ("decimal(38,15)", "double")),
    *(("default", kind, "varchar") for kind in ("text", "identifier")),
    ("default", "boolean", "boolean"),
}  # fmt: skip
VALUES = {
    "integer": ["0", "-1", "9223372036854775807"],
    "decimal": ["0.01", "-9999999999999999.99"],
    "number": ["0.1", "1e300"],
    "text": ["''", "'NA'", "'1;drop'", "'é'"],
    "identifier": ["'0de3ae62-26a2-4f5f-9f8e-3a6b9a5e1c11'"],
    "date": ["'0001-01-01'", "'9999-12-31'"],
    "boolean": ["true", "false"],
}


def entity_of(**column: Any) -> Entity:
    return Entity.model_validate(
        {"title": {"en": "x"}, "grain": "x", "files": ["x"], "columns": [{"name": "x", **column}]}
    )


@pytest.mark.parametrize(("way", "kind", "to"), list(itertools.product(MAPPINGS, COLUMNS, TARGETS)))
def test_each_pair_of_types_is_taken_or_told(way: str, kind: str, to: str) -> None:
    entity, target = entity_of(**COLUMNS[kind]), FactColumn("y", to)
    mapping = ColumnMap.model_validate(MAPPINGS[way])
    problems = mapping_problems(entity, mapping, target)
    assert (not problems) == ((way, kind, to) in GOES), problems
    assert all(kind_said for kind_said in problems)


@pytest.mark.parametrize(("way", "kind", "to"), sorted(one for one in GOES if one[0] in ("plain", "codes", "default")))
def test_what_is_taken_casts_within_the_bounds_that_the_gate_holds(way: str, kind: str, to: str) -> None:
    """The SQL that dbt would run, over the worst values that the gate lets through."""
    entity, target = entity_of(**COLUMNS[kind]), FactColumn("y", to)
    sql = _expression(ColumnMap.model_validate(MAPPINGS[way]), entity.columns, target, Lookups())
    with duckdb.connect() as con:
        column = entity.columns[0]
        for value in [*VALUES[kind], "null"]:
            if target.bounds and value != "null" and kind in ("integer", "decimal", "number") and way != "codes":
                low, high = target.bounds
                value = format(min(max(Decimal(value), low), high), "f")
            row = f"(select cast({value} as {staged_type(column)}) as {staged_name(column.name)})"
            con.execute(f"select cast({sql} as {to}) from {row}").fetchall()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stock_persons": {"from": "name"}}, "name is of type text and the column is decimal"),
        ({"stock_persons": {"from": "day"}}, "day is of type date"),
        ({"reference_year": {"from": "share"}}, "share has 4 digits after the point, of which the column keeps 0"),
        ({"reference_year": {"from": "measured"}}, "whose fraction the column (integer) rounds"),
        ({"reference_year": {"value": "soon"}}, "value 'soon' is no value of integer"),
        ({"is_imputed": {"from": "sex", "codes": {"1": "often", "2": "false"}}}, "'often' is no value of boolean"),
        ({"sex": {"from": "sex", "codes": {"1": "M"}}}, "code 2 of sex is not mapped"),
        ({"sex": {"from": "sex", "codes": {"1": "M", "2": "F", "NO": "X"}}}, "'NO' is no value of sex"),
        ({"origin_code": {"from": "name", "when": {"sex": [3]}, "otherwise": "TUN"}}, "no code of sex"),
        ({"reference_year": {"from": "year", "default": "never"}}, "default 'never'"),
        ({"colour": {"from": "name"}}, "colour is no column of it"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_when_the_contract_loads(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractError) as refused:
        check_feeds(fed(changes))
    assert said in str(refused.value)
    check_feeds(fed({}))


def fed(changes: dict[str, Any]) -> Contract:
    columns = [
        {"name": "year", "type": "integer"},
        {"name": "name", "type": "text"},
        {"name": "day", "type": "date"},
        {"name": "share", "type": "decimal", "scale": 4},
        {"name": "measured", "type": "number"},
        {"name": "sex", "type": "integer", "codes": {1: "men", 2: "women"}},
        {"name": "persons", "type": "integer"},
    ]
    mapped = {"reference_year": {"from": "year"}, "stock_persons": {"from": "persons"}}
    mapped |= {"origin_code": {"value": "TUN"}, "destination_code": {"value": "FRA"}}
    return contract_of(columns, feeds=[{"fact": "migrant_stock", "columns": mapped | changes}])


def test_a_number_that_a_fact_cannot_hold_is_the_gate_s_matter() -> None:
    codes = {rule.code: rule for rule in compile_rules(fed({}), "2024")}
    assert "not between 1 and 9999" in codes["DEMO-PEOPLE-YEAR-FITS"].broken_rows
    assert "DEMO-PEOPLE-PERSONS-FITS" in codes
    columns = [{"name": "year", "type": "integer", "minimum": 1900, "maximum": 2100}]
    bounded = contract_of(columns, feeds=[{"fact": "migrant_stock", "columns": {"reference_year": {"from": "year"}}}])
    assert not [rule for rule in compile_rules(bounded, "2024") if rule.code.endswith("FITS")]


def test_facts_know_the_codes_that_their_tests_accept() -> None:
    persons = load_fact_columns()["persons"]
    assert persons["sex"].accepted == {"M", "F", "_U"}
    assert "_C" in persons["country_of_birth_code"].special
    assert persons["area_code"].special == {"_U"}
    assert load_fact_columns()["mirror_cells"]["conf_status"].of == "observed_value"


def test_a_column_whose_reasons_a_fact_does_not_know_says_what_becomes_of_them() -> None:
    entity = entity_of(type="integer", codes={1: "a"}, missing={9: "_R"})
    target = FactColumn("y", "varchar", frozenset({"A", "_U"}), frozenset({"_U"}))
    [problem] = mapping_problems(entity, ColumnMap.model_validate({"from": "x", "codes": {1: "A"}}), target)
    assert "_R" in problem
    assert not mapping_problems(entity, ColumnMap.model_validate({"from": "x", "codes": {1: "A", 9: "_U"}}), target)


def test_column_of_a_layout_without_what_a_feed_reads_is_refused() -> None:
    feed = {"fact": "migrant_stock", "columns": {"reference_year": {"from": "year"}}}
    layout = {
        "name": "old",
        "periods": ["1999"],
        "entities": {"people": {"feeds": {"stock_persons": {"from": "nobody"}}}},
    }
    with pytest.raises(ValueError, match="feeds read no such column: nobody"):
        contract_of([{"name": "year", "type": "integer"}], feeds=[feed], contract={"layouts": [layout]})


def test_a_column_is_what_it_says() -> None:
    assert Column.model_validate({"name": "x", "type": "integer", "codes": {"01": "a"}}).valid_codes() == ["1"]
