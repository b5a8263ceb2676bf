"""What is missing reaches the fact as what it is: never a value, never `otherwise`, suppressed apart from unknown."""

from typing import Any

import duckdb
import pytest

from hims_pipeline.contracts.columns import ColumnMap
from hims_pipeline.contracts.facts import FactColumn, load_fact_columns
from hims_pipeline.contracts.model import Contract
from hims_pipeline.staging.lookups import Lookups
from hims_pipeline.staging.models import _expression, _mapping_of
from tests.contracts.made import contract_of

COUNTRY = FactColumn("country_of_birth_code", "varchar", None, frozenset({"_U", "_R", "_Z", "_C"}))
FIGURE = FactColumn("value", "decimal(18,3)")
BORN = {"name": "born", "type": "integer", "codes": {1: "here", 2: "near", 4: "abroad"}, "missing": {9: "_U", 0: "_R"}}
LAND = {"name": "land", "type": "text", "missing": {"XXX": "_U"}}


def mapped(
    columns: list[dict[str, Any]], mapping: dict[str, Any], target: FactColumn, rows: str, names: str
) -> list[Any]:
    entity = contract_of(columns).entities["people"]
    sql = _expression(ColumnMap.model_validate(mapping), entity.columns, target, Lookups())
    with duckdb.connect() as con:
        return [
            row[0]
            for row in con.execute(
                f"select cast({sql} as {target.sql_type}) from (values {rows}) as t ({names})"
            ).fetchall()
        ]


def test_what_says_nothing_is_never_otherwise() -> None:
    mapping = {"from": "land", "when": {"born": [4]}, "otherwise": "ARG", "default": "_U"}
    rows = "(1, null), (2, null), (4, 'BOL'), (4, 'XXX'), (4, null), (9, null), (0, null), (null, null)"
    assert mapped([BORN, LAND], mapping, COUNTRY, rows, "born, land") == [
        "ARG", "ARG", "BOL", "_U", "_U", "_U", "_R", "_U",
    ]  # fmt: skip


def test_a_listed_code_for_missing_is_what_the_mapping_says() -> None:
    mapping = {"from": "land", "when": {"born": [4, 9]}, "otherwise": "ARG"}
    assert mapped([BORN, LAND], mapping, COUNTRY, "(9, 'BOL'), (0, 'BOL')", "born, land") == ["BOL", "_R"]


@pytest.mark.parametrize("target", [FIGURE, FactColumn("n", "double"), FactColumn("n", "bigint")])
def test_a_number_that_is_missing_is_none(target: FactColumn) -> None:
    column = {
        "name": "x",
        "type": "decimal" if target is FIGURE else "integer",
        "missing": {9999: "_U", "-9..-7": "_R"},
    }
    kind = "decimal(18,2)" if target is FIGURE else "bigint"
    rows = f"(9999::{kind}), (-8::{kind}), (100::{kind}), (95::{kind})"
    assert [None if v is None else float(v) for v in mapped([column], {"from": "x"}, target, rows, "x")] == [
        None, None, 100, 95,
    ]  # fmt: skip
    thousands = mapped([column], {"from": "x", "multiply": 1000}, target, rows, "x")
    assert [None if v is None else float(v) for v in thousands] == [None, None, 100_000, 95_000]


def test_codes_of_a_decimal_are_values() -> None:
    column = {"name": "x", "type": "decimal", "codes": {1: "a", 2: "b"}, "missing": {9: "_U"}}
    rows = "(1::decimal(18,2)), (2::decimal(18,2)), (9::decimal(18,2)), (null)"
    mapping = {"from": "x", "codes": {1: "M", "2.00": "F"}}
    sex = FactColumn("sex", "varchar", frozenset({"M", "F", "_U"}), frozenset({"_U"}))
    assert mapped([column], mapping, sex, rows, "x") == ["M", "F", "_U", None]


def figures(flags: bool) -> Contract:
    value: dict[str, Any] = {"name": "VALUE", "type": "integer", "missing": {"*": "_C", ":": "_U"}}
    if flags:
        value["flags"] = {"b": "B", "e": "E", "z": "_Z"}
    feed = {"fact": "mirror_cells", "columns": {"observed_value": {"from": "VALUE"}}}
    return contract_of([value], feeds=[feed])


@pytest.mark.parametrize("flags", [False, True])
def test_the_status_of_a_figure_follows_from_its_cell(flags: bool) -> None:
    entity = figures(flags).entities["people"]
    columns = load_fact_columns()["mirror_cells"]
    parts = []
    for name in ("observed_value", "value_missing", "conf_status", "obs_status"):
        mapping = _mapping_of(entity, 0, columns[name])
        parts.append(_expression(mapping, entity.columns, columns[name], Lookups()))
    rows = "(5, null, 'B;E'), (null, '_C', null), (null, '_U', null), (null, null, null), (0, null, null)"
    with duckdb.connect() as con:
        found = con.execute(f"select {', '.join(parts)} from (values {rows}) as t (value, value__missing, value__flag)")
        status = ["B;E", None, None, None, None] if flags else [None] * 5
        assert found.fetchall() == [
            (5, None, "F", status[0]), (None, "_C", "C", None), (None, "_U", "F", None), (None, None, "F", None),
            (0, None, "F", None),
        ]  # fmt: skip
