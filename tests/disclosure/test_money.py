"""Dominance (n, k; p %): one employer's or worker's money in a sum that few others add to. No rule judges it, since no
published figure and no estimate sums money of records; whoever adds one finds this test, and needs the rule first."""

import re

from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.estimating.question import SAMPLED
from hims_pipeline.settings import REPOSITORY

# What banks and ministries add up before they send it is marked as a total in its fact.
MONEY_OF_RECORDS = {
    (fact, name)
    for fact, columns in load_fact_columns().items()
    if "currency" in columns
    for name, column in columns.items()
    if "amount" in name and not column.is_total and column.sql_type.startswith("decimal")
}


def test_the_money_of_records_is_known() -> None:
    assert sorted(MONEY_OF_RECORDS) == [("insurance_periods", "wage_amount"), ("placements", "wage_amount")]


def test_no_indicator_reads_the_money_of_records() -> None:
    models = list((REPOSITORY / "dbt_project" / "models" / "indicators").glob("*.sql"))
    names = "|".join(name for _, name in MONEY_OF_RECORDS)
    assert len(models) > 50
    assert [path.name for path in models if re.search(rf"\b({names})\b", path.read_text(encoding="utf-8"))] == []


def test_no_estimate_is_made_from_a_fact_with_the_money_of_records() -> None:
    sampled = {fact for fact, columns in load_fact_columns().items() if "weight_persons" in columns}
    assert "weight_persons" in SAMPLED  # what a fact needs to be estimated from
    assert "persons" in sampled
    assert sampled.isdisjoint(fact for fact, _ in MONEY_OF_RECORDS)
