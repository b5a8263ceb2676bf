"""Whether a row is a person or a cell follows from the facts that it feeds."""

import pytest

from hims_pipeline.contracts.facts import load_fact_columns
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.settings import REPOSITORY

OF_ONE_ROW = ("wage_amount", "weight_persons", "coverage_percent")


def test_each_amount_of_a_fact_says_whether_it_is_that_of_a_whole_cell() -> None:
    amounts = {
        f"{fact}.{name}": (column.is_total, name in OF_ONE_ROW or name.startswith("precision"))
        for fact, columns in load_fact_columns().items()
        for name, column in columns.items()
        if column.sql_type.startswith(("decimal", "double")) and fact != "claims"  # a row is a statement
    }
    assert amounts
    assert [name for name, said in amounts.items() if sum(said) != 1] == []


@pytest.mark.parametrize(
    ("source", "entity", "counts_rows"),
    [
        ("rgph", "persons", True),
        ("social_security", "accounts", True),
        ("worldbank_bilateral", "remittances", False),
        ("unhcr_asylum", "decisions", False),
        ("student_departures", "departures", False),
        ("foreign_students", "enrolments", True),
    ],
)
def test_a_row_that_feeds_the_total_of_a_cell_is_a_cell(source: str, entity: str, counts_rows: bool) -> None:
    contract = load_contracts(REPOSITORY / "data")[source]
    assert roles_of(contract, entity, "2024").counts_rows == counts_rows
