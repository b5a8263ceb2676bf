"""Movements that no source counts, from stocks and censuses, beside the published examples of their methods."""

import numpy as np
import pytest

from hims_pipeline.methods.flows import least_flows, mixed_flows
from hims_pipeline.methods.survival import net_migration
from tests.indicators.conftest import BATCH
from tests.warehouse import Warehouse

# Thousands by birthplace (rows) and residence (columns) at both ends (Abel & Cohen 2019, Scientific Data 6: 82).
ENDS = {
    2015: [[100, 10, 10, 0], [80, 180, 10, 90], [30, 10, 140, 40], [60, 70, 10, 160]],
    2020: [[95, 5, 15, 5], [75, 225, 5, 55], [55, 0, 115, 50], [35, 25, 25, 215]],
}


def stocks_and_components(births: float = 0, deaths: float = 0) -> dict[str, list[dict]]:
    """What sources of stocks and of population say of the two ends.

    Args:
        births: of all years together, in A.
        deaths: of all years together, as a share of those who live in A.
    """
    sides = {year: {(b, r): 1000.0 * table[i][j] for i, b in enumerate("ABCD") for j, r in enumerate("ABCD")}
             for year, table in ENDS.items()}  # fmt: skip
    people = {year: {r: sum(table[b, r] for b in "ABCD") for r in "ABCD"} for year, table in sides.items()}
    stocks = [
        BATCH | {"source": "stock", "reference_year": year, "origin_code": b, "destination_code": r, "stock_persons": n}
        for year, table in sides.items() for (b, r), n in table.items() if b != r
    ]  # fmt: skip
    first = people[2015]
    dead = {r: deaths * first[r] if r == "A" else 0.0 for r in "ABCD"}
    born = {r: births if r == "A" else 0.0 for r in "ABCD"}
    change = {r: people[2020][r] - first[r] for r in "ABCD"}
    parts = [
        {"source": "parts", "reference_year": year, "country_code": r, "component": name, "value_persons": of[r] / 5}
        for year in range(2015, 2020)
        for r in "ABCD"
        for name, of in (("BIRTHS", born), ("DEATHS", dead), ("CHANGE", change))
    ]
    parts += [
        {"source": "people", "reference_year": 2015, "country_code": r, "component": "POPULATION", "value_persons": n}
        for r, n in first.items()
    ]
    return {"fct_migrant_stock": stocks, "fct_population_components": [BATCH | row for row in parts]}


def test_flows_from_stocks_are_those_of_abel_and_cohen_2019(warehouse: Warehouse) -> None:
    rows = warehouse.figures(
        "b34_flows_from_stocks", stocks_and_components(),
        "ref_area, counterpart_area, estimation_method, obs_value, source, vintage, obs_status, window_length",
    )  # fmt: skip
    assert {row[4:] for row in rows} == {("stock+parts+people", "_Z+_Z+_Z", "E", "P5Y")}
    flows = {row[:3]: row[3] for row in rows}
    start, end = (1000 * np.array(table, dtype=float) for table in ENDS.values())
    for method, tables in (("MINIMUM", least_flows(start, end)), ("PSEUDO_BAYESIAN", mixed_flows(start, end))):
        expected = tables.sum(axis=0)
        assert flows["D", "B", "MINIMUM"] == pytest.approx(35_000)
        found = {(a, b): flows.get((a, b, method), 0.0) for a in "ABCD" for b in "ABCD" if a != b}
        here = {(a, b): expected[i, j] for i, a in enumerate("ABCD") for j, b in enumerate("ABCD") if a != b}
        assert found == pytest.approx(here, abs=1e-3)  # of sums of millionths
        totals = sum(value for (_, other, by), value in flows.items() if other == "_T" and by == method)
        assert totals == pytest.approx(
            160_000 if method == "MINIMUM" else 1000 * (0.87 * 160 + 0.13 * 558.0050505), abs=1
        )


def test_deaths_are_taken_off_the_first_stock_and_births_off_the_second_at_home(warehouse: Warehouse) -> None:
    given = stocks_and_components(births=10_000, deaths=0.1)
    rows = warehouse.figures("b34_flows_from_stocks", given, "ref_area, counterpart_area, obs_value, estimation_method")
    flows = {row[:2]: row[2] for row in rows if row[3] == "MINIMUM"}
    start, end = (1000 * np.array(table, dtype=float) for table in ENDS.values())
    start[:, 0] *= 0.9
    end[0, 0] -= 10_000
    mean = (start.sum(axis=1) + end.sum(axis=1)) / 2
    start, end = (table * (mean / table.sum(axis=1))[:, None] for table in (start, end))
    expected = least_flows(start, end).sum(axis=0)
    assert flows["A", "_T"] == pytest.approx(expected[0].sum())
    assert flows["B", "D"] == pytest.approx(expected[1, 3])


@pytest.mark.parametrize("lacking", ["BIRTHS", "POPULATION"])
def test_a_country_without_births_or_population_gives_no_flow(warehouse: Warehouse, lacking: str) -> None:
    given = stocks_and_components()
    given["fct_population_components"] = [
        row for row in given["fct_population_components"] if (row["country_code"], row["component"]) != ("C", lacking)
    ]
    rows = warehouse.figures("b34_flows_from_stocks", given, "ref_area, counterpart_area")
    assert {code for row in rows for code in row} == {"A", "B", "D", "_T"}


def test_net_migration_of_areas_follows_the_survival_ratios_of_the_country(warehouse: Warehouse) -> None:
    """UN Manual VI by hand: two areas, one sex, two age groups; who has no age counts nowhere."""
    counts = {
        2004: {("a", 22): 100, ("b", 22): 300, ("a", 80): 40, ("b", 80): 40, ("a", None): 50},
        2014: {("a", 32): 120, ("b", 32): 240, ("a", 90): 10, ("b", 90): 30, ("a", 5): 500},
    }
    rows = [
        BATCH | {
            "source": "census", "batch_id": f"c{year}", "design_kind": "census", "period_end_date": f"{year}-05-01",
            "record_no": record, "area_code": area, "sex": "F", "age_years": age, "weight_persons": persons / 10,
        }
        for year, cells in counts.items()
        for (area, age), persons in cells.items()
        for record in range(10)
    ]  # fmt: skip
    found = warehouse.figures(
        "b35_survival_net_migration", {"fct_persons": rows},
        "ref_area, sex, estimation_method, obs_value, time_period, window_length, obs_status, n_obs",
    )  # fmt: skip
    first = np.array([[100.0, 40], [300, 40]])
    second = np.array([[120.0, 10], [240, 30]])
    ratio = second.sum(axis=0) / first.sum(axis=0)
    nets = [net_migration(first[at], second[at], ratio) for at in (0, 1)]
    expected = {
        (area, sex, f"CENSUS_SURVIVAL_{method}"): getattr(net, method.lower()).sum()
        for area, net in zip("ab", nets, strict=True) for sex in ("_T", "F") for method in ("FORWARD", "AVERAGE")
    }  # fmt: skip
    assert {row[:3]: row[3] for row in found} == pytest.approx(expected, abs=1e-5)
    assert expected["a", "F", "CENSUS_SURVIVAL_FORWARD"] == pytest.approx(120 - 90 + 10 - 20)
    assert {row[4:] for row in found} == {("2014", "P10Y", "E", 20)}
