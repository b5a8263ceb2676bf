"""What a fact cannot be without is asked for before anything is built: when a contract loads, and at the gate."""

import re
from typing import Any

import duckdb
import pytest
import yaml

from hims_pipeline.contracts.facts import FACTS, check_feeds, load_fact_columns
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.gates.compile import compile_rules
from hims_pipeline.settings import REPOSITORY

CONTRACT = REPOSITORY / "data/contracts/placements_aneti.yml"


def contract_with(**signed: Any) -> Contract:
    """The contract of a register of placements, its day of signature declared so."""
    value = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    (entity,) = value["entities"].values()
    for column in entity["columns"]:
        if column["name"] == "DATE_SIGNATURE":
            column.clear()
            column.update({"name": "DATE_SIGNATURE", "type": "date", **signed})
    return Contract.model_validate(value)


def needed(contract: Contract) -> list[Any]:
    return [
        rule
        for rule in compile_rules(contract, "2024")
        if rule.code.endswith("DATE_SIGNATURE-NEEDED".replace("_", "-"))
    ]


@pytest.mark.parametrize(
    ("signed", "broken"),
    [
        ({}, [2]),
        ({"missing": {"1900-01-01": "_U"}}, [2, 3]),
        ({"required": True, "missing": {"1900-01-01": "_U"}}, [2, 3]),
    ],
)
def test_a_row_without_what_a_fact_needs_is_refused(signed, broken) -> None:
    (rule,) = needed(contract_with(**signed))
    rows = "values (1, date '2024-03-01'), (2, null), (3, date '1900-01-01')"
    sql = f'select no from ({rows}) as sent(no, "DATE_SIGNATURE") where {rule.broken_rows} order by no'
    assert [no for (no,) in duckdb.sql(sql).fetchall()] == broken


def test_what_another_rule_sees_is_not_asked_twice() -> None:
    assert not needed(contract_with(required=True))


def test_a_feed_that_leaves_out_what_its_fact_needs_does_not_load() -> None:
    value = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    (entity,) = value["entities"].values()
    del entity["feeds"][0]["columns"]["contract_date"]
    with pytest.raises(ContractError, match="maps nothing to contract_date"):
        check_feeds(Contract.model_validate(value))


def test_the_records_of_facts_say_which_columns_their_sql_completes() -> None:
    """Two ways: what is said to come filled is filled in the model, and what is not said is as it was fed."""
    by_macro = {
        ("migrants", "country_of_citizenship_code"),
        ("migrants", "country_code"),
        ("migrants", "weight_persons"),
        ("migrants", "stratum"),
        ("migrants", "psu"),
        ("sampling_units", "psu"),
    }
    for fact, columns in load_fact_columns().items():
        path = FACTS / f"fct_{fact}.yml"
        (model,) = [
            one for one in yaml.safe_load(path.read_text(encoding="utf-8"))["models"] if one["name"] == f"fct_{fact}"
        ]
        sql = path.with_suffix(".sql").read_text(encoding="utf-8")
        for described in model["columns"]:
            name = described["name"]
            if name not in columns or "not_null" not in described.get("data_tests", ()) or columns[name].of:
                continue
            handled = re.search(rf"coalesce\((\w+\.)?{name}\b|\b{name} is (not )?null\b", sql) is not None
            assert columns[name].is_needed != (handled or (fact, name) in by_macro), (fact, name)
