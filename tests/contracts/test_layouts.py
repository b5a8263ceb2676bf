"""Which layout holds in a period: one that names it, or the last that has begun."""

import pytest

from tests.contracts.made import contract_of

COLUMNS = [{"name": "id", "type": "integer"}, {"name": "age", "type": "integer"}]


def layout(name: str, **when) -> dict:
    return {"name": name, "entities": {"people": {"names": {"age": name}}}} | when


def of_quarters(*layouts: dict, pattern: str = "quarter"):
    return contract_of(COLUMNS, {"period": {"pattern": pattern}, "layouts": list(layouts)})


def test_a_layout_holds_from_a_period_until_the_next_begins():
    contract = of_quarters(
        layout("late", **{"from": "2024Q4"}), layout("one", periods=["2022Q3"]), layout("early", **{"from": "2022Q2"})
    )
    found = {
        period: one.name if (one := contract.layout_of(period)) else ""
        for period in ("", "2021Q4", "2022Q1", "2022Q2", "2022Q3", "2022Q4", "2024Q3", "2024Q4", "2025Q1", "2031Q1")
    }
    assert list(found.values()) == ["", "", "", "early", "one", "early", "early", "late", "late", "late"]
    assert contract.sent_names("people", "2026Q2") == {"age": "late"}


@pytest.mark.parametrize(
    ("pattern", "first", "before", "after"),
    [
        ("year", "2024", "2023", "2025"),
        ("month", "2024-09", "2024-08", "2024-10"),
        ("week", "2024-W10", "2024-W09", "2025-W01"),
        ("academic_year", "2023-24", "2022-23", "2024-25"),
        ("date", "2024-12-10", "2024-12-09", "2025-01-01"),
    ],
)
def test_periods_of_every_pattern_are_compared_in_time(pattern, first, before, after):
    contract = of_quarters(layout("new", **{"from": first}), pattern=pattern)
    assert contract.layout_of(before) is None
    assert [contract.layout_of(period) is not None for period in (first, after)] == [True, True]


@pytest.mark.parametrize(
    ("layouts", "said"),
    [
        ([layout("a")], "either `periods` or `from`"),
        ([layout("a", periods=["2024Q1"], **{"from": "2024Q1"})], "either `periods` or `from`"),
        ([layout("a", **{"from": "2024-06"})], "is not a quarter such as"),
        ([layout("a", **{"from": "2024Q5"})], "is not a quarter such as"),
        ([layout("a", **{"from": "2024Q1"}), layout("b", **{"from": "2024Q1"})], "two layouts hold for 2024Q1"),
        ([layout("a", **{"from": "2024Q1"}), layout("b", periods=["2024Q1"])], "two layouts hold for 2024Q1"),
    ],
)
def test_layouts_that_leave_open_which_holds_do_not_load(layouts, said):
    with pytest.raises(ValueError, match=said):
        of_quarters(*layouts)


DATED = [*COLUMNS, {"name": "day", "type": "date"}, {"name": "Sex", "type": "integer", "codes": {1: "m", 2: "f"}}]
STATED = {"period": {"date": "day"}}
UNFITTING = {
    "a type that states no period": (STATED, {"columns": [{"name": "day", "type": "text"}]}, "is of type text"),
    "a period by another type": (STATED, {"period": {"date": "age"}}, "is of type integer"),
    "a name that nothing has": ({}, {"names": {"agee": "EDAD"}}, "`names` renames no column: agee"),
    "an absent one that was never there": ({}, {"absent": ["agee"]}, "`absent` names no column: agee"),
    "absent and renamed": ({}, {"absent": ["age"], "names": {"age": "EDAD"}}, "age is `absent`"),
    "absent and described": ({}, {"absent": ["age"], "columns": [{"name": "age"}]}, "age is `absent`"),
    "described twice": ({}, {"columns": [{"name": "new"}, {"name": "new"}]}, "column described twice: new"),
    "renamed to a name that is taken": ({}, {"names": {"age": "id"}}, "more than one column of the header"),
    "two renamed to one": ({}, {"names": {"age": "X", "id": "X"}}, "more than one column of the header"),
    "case alone": ({}, {"columns": [{"name": "sex"}]}, "differ in case alone"),
    "a name of ours": ({}, {"columns": [{"name": "age__missing"}]}, "are ours"),
    "a name of what stands beside": ({}, {"columns": [{"name": "_Line"}]}, "are ours"),
    "a header without it": ({}, {"header": ["id"]}, "in columns but not in header: Sex, age, day"),
    "a new column outside the header": (
        {"header": ["id", "age", "day", "Sex"]}, {"columns": [{"name": "new"}]}, "not in header: new",
    ),
    "headings that go nowhere": (
        {"format": {"type": "excel", "unpivot": {"names": "Sex", "values": "age"}}},
        {"absent": ["age"]}, "`unpivot` names no such column: age",
    ),
    "blanks filled nowhere": ({}, {"format": {"type": "excel", "fill_down": ["Agee"]}}, "`fill_down` names no such"),
    "no file": ({}, {"files": []}, "at least 1 item"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNFITTING)
def test_a_layout_that_does_not_fit_its_entity_does_not_load(kind):
    entity, own, said = UNFITTING[kind]
    changed = {"layouts": [{"name": "old", "periods": ["1999"], "entities": {"people": own}}]}
    with pytest.raises(ValueError, match=said):
        contract_of(DATED, changed, **entity)


def test_a_layout_may_lay_a_header_by_the_names_sent():
    own = {"names": {"age": "EDAD"}, "header": ["EDAD", "id", "day", "Sex", "more", "more"]}
    contract_of(DATED, {"layouts": [{"name": "old", "periods": ["1999"], "entities": {"people": own}}]})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layouts": [layout("a", periods=["1999"]), layout("b", periods=["1999"])]}, "two layouts hold for 1999"),
        ({"layouts": [layout("a", periods=["1998"]), layout("a", periods=["1999"])]}, "two layouts are called a"),
        ({"layouts": [layout("a", periods=["1999Q1"])]}, "1999Q1 is not a year such as"),
        ({"reference_dates": {"1999": ["1999-02-01", "1999-02-30"]}}, "none of the calendar"),
        ({"reference_dates": {"1999": ["1999-03-01", "1999-02-01"]}}, "ends before it begins"),
    ],
)
def test_layouts_and_days_that_no_period_meets_do_not_load(changed, said):
    with pytest.raises(ValueError, match=said):
        contract_of(COLUMNS, changed)


def test_a_period_with_days_of_its_own_may_have_a_layout():
    days = {"reference_dates": {"2004-1": ["2004-03-01", "2004-04-30"]}}
    assert contract_of(COLUMNS, days | {"layouts": [layout("a", periods=["2004-1"])]}).layout_of("2004-1")


@pytest.mark.parametrize(
    ("pattern", "period"), [("academic_year", "2023-25"), ("date", "2024-02-31"), ("week", "2021-W53")]
)
def test_a_period_that_no_calendar_has_begins_no_layout(pattern, period):
    for when in ({"from": period}, {"periods": [period]}):
        with pytest.raises(ValueError, match=f"{period}`? .*is not a"):
            of_quarters(layout("a", **when), pattern=pattern)


@pytest.mark.parametrize(
    "days", [("1994-07-01", "1994-07-30"), ("1445-09-01", "1445-09-30"), ("2024-01-01", "2042-01-01")]
)
def test_days_of_a_period_lie_about_it(days):
    with pytest.raises(ValueError, match="lie more than a year from it"):
        contract_of(COLUMNS, {"reference_dates": {"2024": days}})
    contract_of(COLUMNS, {"reference_dates": {"2024": ("2023-11-15", "2024-02-15")}})


@pytest.mark.parametrize(("pattern", "month"), [("year", 7), ("academic_year", 1), ("academic_year", 13)])
def test_a_first_month_is_that_of_an_academic_year(pattern, month):
    with pytest.raises(ValueError, match="first_month"):
        contract_of(COLUMNS, {"period": {"pattern": pattern, "first_month": month}})
