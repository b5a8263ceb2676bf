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
