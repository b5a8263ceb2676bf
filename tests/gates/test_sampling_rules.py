"""A stratum's number of units is checked against those that were sent of it."""

import duckdb
import pytest
import yaml

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.gates.rules import Rule
from tests.gates.test_gate_rules import CONTRACT

GOOD = "(1, 1, 9), (1, 2, 9), (1, 2, 9), (2, 1, 1)"


def drawn_rule() -> Rule:
    plain = yaml.safe_load(CONTRACT)
    plain["entities"]["people"]["columns"].append({"name": "in_all", "type": "integer"})
    plain["entities"]["people"]["design"] = {
        "kind": "sample", "strata": ["house"], "psu": ["line"], "population_units": "in_all",
    }  # fmt: skip
    [rule] = [one for one in compile_rules(Contract.model_validate(plain), "2024") if one.code.endswith("-UNITS")]
    return rule


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        (GOOD, 0),
        (GOOD.replace("(2, 1, 1)", "(2, 1, 0)"), 1),
        (GOOD.replace("(1, 1, 9)", "(1, 1, 8)"), 1),
        (GOOD.replace("(2, 1, 1)", "(2, 1, null)"), 1),
        (GOOD.replace("9", "1"), 1),
    ],
)
def test_units_in_a_stratum_are_one_number_and_as_many_as_were_drawn(rows: str, broken: int) -> None:
    query = drawn_rule().kwargs["unexpected_rows_query"].replace("{batch}", "batch")
    con = duckdb.connect()
    con.execute(f"create table batch as select * from (values {rows}) as t (house, line, in_all)")
    assert len(con.execute(query).fetchall()) == broken


def test_units_of_a_second_stage_have_their_number_too() -> None:
    plain = yaml.safe_load(CONTRACT)
    for name in ("district", "in_all", "counted"):
        plain["entities"]["people"]["columns"].append({"name": name, "type": "integer"})
    plain["entities"]["people"]["design"] = {
        "kind": "sample", "strata": ["district"], "psu": ["house"], "ssu": ["line"], "population_units": "in_all",
        "population_ssus": "counted",
    }  # fmt: skip
    [rule] = [one for one in compile_rules(Contract.model_validate(plain), "2024") if one.code.endswith("-SSUS")]
    query = rule.kwargs["unexpected_rows_query"].replace("{batch}", "batch")
    con = duckdb.connect()
    con.execute(
        "create table batch as select * from (values"
        " (1, 1, 1, 2), (1, 1, 2, 2), (1, 2, 1, 5), (1, 3, 1, 1), (1, 3, 2, 1)) as t (district, house, line, counted)"
    )
    assert con.execute(query).fetchall() == [(1, 3)]  # two drawn of one
