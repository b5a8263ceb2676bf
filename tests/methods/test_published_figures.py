"""Each method on the figures of its own publication. Small tables stand here with their source; larger ones are read
from the folder of real data."""

import csv
from pathlib import Path

import numpy as np
import pytest

from hims_pipeline.methods.captures import fit_captures
from hims_pipeline.methods.flows import independent_flows, least_flows, mixed_flows
from hims_pipeline.methods.irregular import Cells, fit_irregular, profile_gamma, totals_without
from hims_pipeline.methods.lists import count_patterns, fan_around, fit_lists, select_forward
from hims_pipeline.methods.small_areas import fit_areas
from hims_pipeline.methods.survival import net_migration
from hims_pipeline.settings import load_settings

LISTS = ("la", "ng", "pf", "go", "gp", "nca")
# Potential victims of slavery, UK 2013, by the lists that knew them (Silverman 2014, Home Office; R package SparseMSE).
UK_2013 = {
    "la": 54, "ng": 463, "pf": 907, "go": 695, "gp": 316, "nca": 57, "la ng": 15, "la pf": 19, "la go": 3, "ng pf": 56,
    "ng go": 19, "ng gp": 1, "ng nca": 3, "pf go": 69, "pf gp": 10, "pf nca": 31, "go gp": 8, "go nca": 6, "gp nca": 1,
    "la ng pf": 1, "la ng go": 1, "ng pf go": 4, "ng pf nca": 3, "pf go nca": 1, "la ng pf go": 1,
}  # fmt: skip
# Bombay: population of 1941 and 1951 by age, with survival ratios (UN Manual VI, 1970).
BOMBAY = np.array([
    (77135, 132870, 0.9087), (85434, 170227, 0.9573), (79185, 263971, 0.9471), (82603, 253964, 0.9308),
    (126247, 195373, 0.9223), (155344, 151259, 0.9161), (138843, 118383, 0.9047), (109356, 76421, 0.885),
    (81626, 65897, 0.8548), (47062, 32265, 0.8122), (36908, 22248, 0.7535), (15134, 9655, 0.6726),
    (25094, 10100, 0.3866),
])  # fmt: skip
# Expenditure on milk: estimate and standard error of 43 areas, by major area (Arora & Lahiri 1997; R package sae).
MILK = {
    1: [(1.099, 0.163), (1.075, 0.08), (1.105, 0.083), (0.628, 0.109), (0.753, 0.119), (0.981, 0.141), (1.257, 0.202)],
    2: [(1.095, 0.127), (1.405, 0.168), (1.356, 0.178), (0.615, 0.1), (1.46, 0.201), (1.338, 0.148), (0.854, 0.143)],
    3: [
        (1.176, 0.149), (1.111, 0.145), (1.257, 0.135), (1.43, 0.172), (1.278, 0.137), (1.292, 0.163), (1.002, 0.125),
        (1.183, 0.247), (1.044, 0.14), (1.267, 0.171), (1.193, 0.106),
    ],
    4: [
        (0.791, 0.121), (0.795, 0.121), (0.759, 0.259), (0.796, 0.106), (0.565, 0.089), (0.886, 0.225), (0.952, 0.205),
        (0.807, 0.119), (0.582, 0.067), (0.684, 0.106), (0.787, 0.126), (0.44, 0.092), (0.759, 0.132), (0.77, 0.1),
        (0.8, 0.113), (0.756, 0.083), (0.865, 0.121), (0.64, 0.129),
    ],
}  # fmt: skip
# Stocks by birthplace (rows) and residence (columns) at both ends, no births, no deaths.
ABEL_2013 = (
    [[1000, 100, 10, 0], [55, 555, 50, 5], [80, 40, 800, 40], [20, 25, 20, 200]],
    [[950, 100, 60, 0], [80, 505, 75, 5], [90, 30, 800, 40], [40, 45, 0, 180]],
)
ABEL_COHEN_2019 = (
    [[100, 10, 10, 0], [80, 180, 10, 90], [30, 10, 140, 40], [60, 70, 10, 160]],
    [[95, 5, 15, 5], [75, 225, 5, 55], [55, 0, 115, 50], [35, 25, 25, 215]],
)


def rows_of(name: str) -> list[dict[str, str]]:
    folder = load_settings().real_data
    assert isinstance(folder, Path)
    with (folder / "methods" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


@pytest.mark.real_data
def test_irregular_residents_of_poland_beresewicz_pawlukiewicz_2020_zhang_2008() -> None:
    rows = rows_of("poland_apprehensions_2019_2024.csv")
    year = column(rows, "year")
    years = np.stack([(year == one) * 1.0 for one in range(2019, 2025)], axis=1)
    ukraine, male = (np.array([row[a] == b for row in rows]) for a, b in (("country_code", "UKR"), ("sex", "Male")))
    alpha = np.hstack([years, years * ukraine[:, None], male[:, None]])
    cells = Cells(column(rows, "apprehended"), column(rows, "police"), column(rows, "registered"), alpha, years)
    fit = fit_irregular(cells)
    assert fit.top.log_likelihood == pytest.approx(-5738.09, abs=0.005)
    assert fit.gamma == pytest.approx(0.00695, rel=0.004)
    assert (fit.top.estimate[0], fit.top.estimate[13]) == pytest.approx((0.822, 0.713), abs=1e-3)
    totals = {one: fit.total(year == one)[0] for one in (2021, 2023, 2024)}
    assert totals == pytest.approx({2021: 104_151, 2023: 115_068, 2024: 96_009}, abs=1)
    # The published interval was made at another point of a flat likelihood, 0.4 % below; its width is ours.
    assert fit.total(year == 2021)[1:] == pytest.approx((38_795, 277_428), rel=0.005)
    assert fit.log_error(year == 2021)[1] == pytest.approx(np.log(277_428 / 38_795) / 2 / 1.96, rel=1e-4)

    profile = profile_gamma(cells)
    assert profile.dispersion > 5  # Poisson's errors would be too small by the root of it
    assert profile.log_likelihood.max() <= fit.top.log_likelihood + 1e-9
    low, high = profile.range_of_total
    assert low < fit.residents.sum() < high
    before, after = totals_without(fit, {"the largest registers": cells.registered > 50_000})["the largest registers"]
    assert after / before > 1.25  # few cells carry the result


@pytest.mark.real_data
def test_repeated_captures_of_four_dutch_cities_van_der_heijden_2003() -> None:
    rows = rows_of("dutch_cities_1995_captures.csv")
    groups = sorted({row["nationality_group"] for row in rows})
    design = np.array([
        [1, row["sex"] == "male", row["age"] == ">40yrs", *(row["nationality_group"] == one for one in groups[1:])]
        for row in rows
    ], dtype=float)  # fmt: skip
    fit = fit_captures(design, column(rows, "captures"), column(rows, "persons"))
    assert len(fit.top.estimate) == 8
    assert fit.seen == 1880
    assert fit.top.log_likelihood == pytest.approx(-848.4504, abs=5e-5)
    assert (fit.size, fit.standard_error) == pytest.approx((12_690.35, 2_808.17), abs=0.006)
    assert fit.interval == pytest.approx((7_186, 18_194), abs=1)


def uk_table() -> tuple[np.ndarray, np.ndarray]:
    on = np.array([[name in pattern.split() for name in LISTS] for pattern in UK_2013], dtype=float)
    return count_patterns(on, np.array(list(UK_2013.values()), dtype=float))


def test_multiple_systems_of_the_uk_2013_silverman_2014() -> None:
    patterns, counts = uk_table()
    assert (len(counts), counts.sum()) == (63, 2744)
    path = select_forward(patterns, counts)
    sizes = [round(one.size) for one in path.models]
    assert (sizes[0], sizes[1], sizes[-1]) == (12_214, 13_444, 11_252)
    assert [one.aic for one in path.models] == sorted((one.aic for one in path.models), reverse=True)
    assert path.models[1].pairs == ((2, 5),)
    # Each interval speaks as if its model were true; the models differ by more than what one of them calls likely.
    low, high = fan_around(patterns, counts).range_of_size
    assert low < 11_252 < 13_444 < high
    assert high > path.models[-1].interval[1]


def test_a_pair_of_lists_that_share_nobody_changes_its_own_cells_alone() -> None:
    patterns, counts = uk_table()
    pair = (0, 4)  # local authorities and the public
    assert counts @ (patterns[:, 0] * patterns[:, 4]) == 0
    plain, with_pair = fit_lists(patterns, counts), fit_lists(patterns, counts, (pair,))
    assert with_pair.size < plain.size
    assert with_pair.aic < plain.aic + 2  # one coefficient more, and a likelihood that is no lower


def test_small_areas_of_milk_arora_lahiri_1997_by_reml() -> None:
    pairs = np.array([pair for area in MILK.values() for pair in area])
    major = np.array([one for one, areas in MILK.items() for _ in areas])
    design = np.stack([np.ones(len(major)), *((major == one) * 1.0 for one in (2, 3, 4))], axis=1)
    fit = fit_areas(design, pairs[:, 0], pairs[:, 1] ** 2)
    assert fit.beta == pytest.approx([0.968189, 0.132780, 0.226946, -0.241301], abs=1e-6)
    assert fit.predicted[:3] == pytest.approx([1.02197, 1.04760, 1.06795], abs=5e-6)
    assert fit.mean_squared_error[:2] == pytest.approx([0.0134602, 0.0053729], abs=1e-7)
    assert fit.variance == pytest.approx(0.0185502, rel=1e-5)
    stopped_where_r_does = fit_areas(design, pairs[:, 0], pairs[:, 1] ** 2, close=1e-4)
    assert stopped_where_r_does.variance == pytest.approx(0.0185502, abs=5e-8)


def test_survival_ratios_of_bombay_un_manual_vi_1970() -> None:
    net = net_migration(*BOMBAY.T)
    assert (net.forward.sum(), net.average.sum()) == pytest.approx((562_044, 579_322), abs=0.5)
    assert (net.forward[0], net.reverse[0], net.average[0]) == pytest.approx((62_777, 69_085, 65_931), abs=0.5)


def test_flows_from_stocks_of_abel_2013() -> None:
    flows = least_flows(*(np.array(one, dtype=float) for one in ABEL_2013)).sum(axis=0)
    assert flows.sum() == pytest.approx(150)
    a, b, c, d = range(4)
    cells = {(a, c): 50, (b, a): 35, (b, c): 25, (c, a): 10, (c, b): 10, (d, a): 10, (d, b): 10}
    assert {at: flows[at] for at in np.ndindex(4, 4) if flows[at]} == pytest.approx(cells)


def test_flows_from_stocks_of_abel_cohen_2019_and_the_mix_of_azose_raftery_2019() -> None:
    start, end = (np.array(one, dtype=float) for one in ABEL_COHEN_2019)
    flows = least_flows(start, end).sum(axis=0)
    assert flows.sum() == pytest.approx(160)
    assert (flows[0, 2], flows[0, 3], flows[1, 3], flows[3, 1]) == pytest.approx((7.857, 22.143, 40.714, 35), abs=5e-4)
    assert independent_flows(start, end).sum() == pytest.approx(558.005, abs=5e-4)
    assert mixed_flows(start, end).sum() == pytest.approx(0.87 * 160 + 0.13 * 558.00505, abs=1e-4)
