"""A delivery is about the period it was sent for, by the columns that state it."""

from typing import Any

import duckdb
import pytest

from hims_pipeline.gates.compile import compile_rules
from tests.contracts.made import contract_of


def broken(columns: dict[str, str], stated: dict[str, Any], pattern: str, period: str, rows: str) -> int:
    """How many rows the compiled rule finds to be of another period."""
    names = {"integer": "integer", "text": "text", "date": "date"}
    declared = [{"name": name, "type": names[kind]} for name, kind in columns.items()]
    kinds = {"integer": "bigint", "text": "varchar", "date": "date"}
    contract = contract_of(declared, contract={"period": {"pattern": pattern}}, period=stated)
    [rule] = [rule for rule in compile_rules(contract, period) if rule.code == "DEMO-PEOPLE-PERIOD"]
    typed = ", ".join(f"cast({name} as {kinds[kind]}) as {name}" for name, kind in columns.items())
    with duckdb.connect() as con:
        con.execute(f"create table people as select {typed} from (values {rows}) as t ({', '.join(columns)})")
        query = rule.kwargs["unexpected_rows_query"].format(batch="people")
        condition = rule.broken_rows.replace("{table}", "people")
        assert con.execute(f"select count(*) from people where {condition}").fetchall()[0][0] == len(
            con.execute(query).fetchall()
        )
        return len(con.execute(query).fetchall())


UP_TO_1 = {"year": "y", "up_to": True, "last_within": 1}
YW = {"y": "integer", "w": "integer"}
YQ_TEXT, YM_TEXT = {"y": "integer", "q": "text"}, {"y": "integer", "m": "text"}
YQ, YM = {"y": "integer", "q": "integer"}, {"y": "integer", "m": "integer"}


@pytest.mark.parametrize(
    ("columns", "stated", "pattern", "period", "rows", "wrong"),
    [
        (YQ, {"year": "y", "quarter": "q"}, "quarter", "2023Q1", "(2023, 1), (2024, 1), (2023, 2), (null, 1)", 2),
        (YQ, {"year": "y"}, "quarter", "2023Q1", "(2023, 4), (2022, 4)", 1),
        (YM, {"year": "y", "month": "m"}, "month", "2024-12", "(2024, 12), (2024, 11), (2025, 1)", 2),
        (YM, {"year": "y", "month": "m"}, "year", "2024", "(2024, 12), (2024, 1), (2025, 1)", 1),
        ({"y": "text"}, {"year": "y"}, "year", "2024", "('2024'), ('2023'), ('24'), ('soon')", 3),
        ({"d": "date"}, {"date": "d"}, "month", "2024-02", "('2024-02-29'), ('2024-03-01'), (null)", 1),
        ({"d": "date"}, {"date": "d"}, "academic_year", "2023-24", "('2023-10-01'), ('2024-09-30'), ('2024-10-01')", 1),
        ({"d": "date"}, {"date": "d"}, "date", "2024-12-10", "('2024-12-10'), ('2024-12-09')", 1),
        ({"d": "date"}, {"month": "d"}, "month", "2024-02", "('2024-02-01'), ('2024-01-31')", 1),
        ({"p": "text"}, {"month": "p"}, "month", "2024-02", "('2024-02'), ('2024-2'), ('2023-02')", 2),
        ({"p": "text"}, {"quarter": "p"}, "quarter", "2024Q1", "('2024Q1'), ('2024-Q1'), ('2024Q2')", 1),
        ({"p": "text"}, {"spelt": "p"}, "academic_year", "2023-24", "('2023-24'), ('2022-23')", 1),
        ({"y": "integer"}, {"year": "y", "up_to": True}, "year", "2024", "(2024), (1990), (2025)", 1),
        ({"d": "date"}, {"date": "d", "up_to": True}, "quarter", "2024Q1", "('1999-01-01'), ('2024-04-01')", 1),
        # A file that states nothing at all, and an old one of an edition.
        ({"y": "integer"}, {"year": "y"}, "year", "2024", "(null), (null)", 2),
        ({"y": "integer"}, UP_TO_1, "year", "2024", "(2020), (1990)", 2),
        ({"y": "integer"}, UP_TO_1, "year", "2024", "(2023), (1990)", 0),
        ({"d": "date"}, {"date": "d", "up_to": True, "last_within": 31}, "month", "2024-03", "('2024-02-28')", 1),
        ({"p": "text"}, {"month": "p", "up_to": True, "last_within": 1}, "month", "2024-01", "('2023-12')", 0),
        # Weeks of ISO 8601, which begin in another year than their days at times.
        (YW, {"year": "y", "week": "w"}, "week", "2025-W01", "(2025, 1), (2024, 1), (2024, 53), (2025, 2)", 3),
        ({"p": "text"}, {"week": "p"}, "week", "2024-W05", "('2024-W05'), ('2024W05'), ('2024-W06'), ('2024-05')", 1),
        ({"p": "text"}, {"spelt": "p"}, "week", "2024-W05", "('2024-W05'), ('2023-W05')", 1),
        ({"d": "date"}, {"date": "d"}, "week", "2025-W01", "('2024-12-30'), ('2025-01-05'), ('2025-01-06')", 1),
        (YM, {"year": "y", "month": "m"}, "quarter", "2024Q2", "(2024, 4), (2024, 6), (2024, 7), (2024, 13)", 2),
        # What a cast to a whole number would round or trim to the year.
        ({"y": "text"}, {"year": "y"}, "year", "2024", "('2023.75'), ('+2024'), ('02024'), ('2.024e3'), (' 2024')", 4),
        # Other spellings, as offices have them.
        (YQ_TEXT, {"year": "y", "quarter": "q"}, "quarter", "2024Q1", "(2024, 'Q1'), (2024, 'T1'), (2024, 'T2')", 1),
        (YM_TEXT, {"year": "y", "month": "m"}, "month", "2024-06", "(2024, 'M06'), (2024, '06'), (2024, '7')", 1),
        ({"p": "text"}, {"quarter": "p"}, "quarter", "2024Q1", "('2024T1'), ('1T2024'), ('Q1 2024'), ('2024-q2')", 1),
        ({"p": "integer"}, {"quarter": "p"}, "quarter", "2024Q1", "(20241), (20242), (20231)", 2),
        ({"p": "text"}, {"month": "p"}, "month", "2024-02", "('2024M02'), ('202402'), ('02/2024'), ('03/2024')", 1),
        ({"p": "integer"}, {"month": "p"}, "month", "2024-02", "(202402), (202403)", 1),
        ({"p": "text"}, {"spelt": "p"}, "month", "2024-02", "('2024M02'), ('2024-03')", 1),
        ({"p": "text"}, {"spelt": "p"}, "academic_year", "2023-24", "('2023/24'), ('2023-2024'), ('2024/2025')", 1),
        ({"p": "text"}, {"spelt": "p"}, "date", "2024-12-10", "('2024-12-10'), ('20241210'), ('2024-12-09')", 1),
    ],
)
def test_rows_of_another_period_break_the_rule(columns, stated, pattern, period, rows, wrong) -> None:
    assert broken(columns, stated, pattern, period, rows) == wrong


def test_a_year_that_is_declared_missing_states_nothing() -> None:
    columns = [{"name": "y", "type": "integer", "missing": {9999: "_U"}}]
    [rule] = [r for r in compile_rules(contract_of(columns, period={"year": "y"}), "2024") if r.code.endswith("PERIOD")]
    with duckdb.connect() as con:
        con.execute("create table people as from (values (2024), (9999), (2023)) as t (y)")
        condition = rule.broken_rows.replace("{table}", "people")
        assert con.execute(f"select y from people where {condition}").fetchall() == [(2023,)]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({}, "a period is stated by one of"),
        ({"year": "y", "date": "d"}, "a period is stated by one of"),
        ({"year": "nobody"}, "no such column"),
        ({"year": "d"}, "is of type date"),
        ({"date": "y"}, "is of type integer"),
        ({"none": "no column", "up_to": True}, "`up_to` goes with"),
        ({"none": " "}, "says why"),
        ({"year": "y", "month": "y", "week": "y"}, "a period is stated by one of"),
        ({"year": "y", "last_within": 1}, "`last_within` goes with"),
    ],
)
def test_what_cannot_state_a_period_is_refused(stated: dict[str, Any], said: str) -> None:
    columns = [{"name": "y", "type": "integer"}, {"name": "d", "type": "date"}]
    with pytest.raises(ValueError, match=said):
        contract_of(columns, period=stated)


def test_a_year_alone_states_no_academic_year() -> None:
    """2023 is part of 2022-23 and of 2023-24."""
    columns = [{"name": "y", "type": "integer"}, {"name": "m", "type": "integer"}]
    academic = {"period": {"pattern": "academic_year"}}
    with pytest.raises(ValueError, match="part of two academic years"):
        contract_of(columns, contract=academic, period={"year": "y"})
    contract_of(columns, contract=academic, period={"year": "y", "month": "m"})
    contract_of(columns, contract=academic, period={"year": "y", "up_to": True})


def test_a_layout_without_the_column_says_so() -> None:
    columns = [{"name": "y", "type": "integer"}, {"name": "n", "type": "integer"}]
    layout = {"name": "old", "periods": ["1999"], "entities": {"people": {"absent": ["y"]}}}
    with pytest.raises(ValueError, match="nothing states its period"):
        contract_of(columns, period={"year": "y"}, contract={"layouts": [layout]})
    layout["entities"]["people"]["period"] = {"none": "not asked then"}
    made = contract_of(columns, period={"year": "y"}, contract={"layouts": [layout]})
    assert [r for r in compile_rules(made, "1999") if r.code.endswith("PERIOD")] == []
