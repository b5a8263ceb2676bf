"""What each method gives where the truth is known, and what it refuses."""

import numpy as np
import pytest

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.captures import fit_captures
from hims_pipeline.methods.flows import independent_flows, least_flows, mixed_flows
from hims_pipeline.methods.irregular import Cells, fit_irregular, profile_gamma, totals_without
from hims_pipeline.methods.likelihood import fit_poisson, maximise
from hims_pipeline.methods.lists import count_patterns, fan_around, fit_lists
from hims_pipeline.methods.small_areas import fit_areas
from hims_pipeline.methods.survival import census_survival, net_migration, residual_net_migration

ONES = np.ones((4, 1))


def drawn_cells(gamma: float = 0.02, cells: int = 400) -> tuple[Cells, float]:
    """Cells drawn from Zhang's model, with the irregular residents behind them."""
    chance = np.random.default_rng(1)
    registered = np.exp(chance.uniform(4, 11, cells)).round()
    identified = chance.poisson(0.03 * registered).astype(float)
    irregular = registered**0.75
    apprehended = chance.poisson(irregular * (gamma + identified / registered) ** 0.8).astype(float)
    return Cells(apprehended, identified, registered, np.ones((cells, 1)), np.ones((cells, 1))), float(irregular.sum())


def test_irregular_residents_drawn_from_the_model_lie_within_the_interval() -> None:
    cells, truth = drawn_cells()
    fit = fit_irregular(cells)
    every = np.ones(len(cells.registered), dtype=bool)
    _, low, high = fit.total(every)
    assert low < truth < high
    parts = totals_without(fit, {"half": np.arange(len(every)) % 2 == 0})
    assert parts["half"][0] == pytest.approx(parts["half"][1], rel=0.3)


def test_gamma_that_the_data_do_not_tell_is_said_to_be_so() -> None:
    """The police identify the same share everywhere: γ and β cannot be told apart."""
    chance = np.random.default_rng(2)
    registered = np.repeat([1000.0, 4000.0, 16000.0], 40)
    identified = registered * 0.03
    apprehended = chance.poisson(registered**0.7 * 0.05).astype(float)
    shaken = identified + chance.integers(-1, 2, len(registered))
    ones = np.ones((len(registered), 1))
    profile = profile_gamma(Cells(apprehended, shaken, registered, ones, ones))
    assert not profile.is_identified
    low, high = profile.range_of_total
    assert high > low


@pytest.mark.parametrize(("change", "words"), [
    ({"registered": np.array([0.0, 9, 9, 9])}, "one registered person"),
    ({"apprehended": np.array([0.5, 1, 1, 1])}, "whole numbers"),
    ({"apprehended": np.array([-1.0, 1, 1, 1])}, "whole numbers"),
    ({"alpha": np.hstack([ONES, ONES])}, "follows from the others"),
    ({"apprehended": np.array([1.0, 1, 1])}, "does not stand beside"),
])  # fmt: skip
def test_cells_that_hold_no_model_are_refused(change: dict, words: str) -> None:
    given = {
        "apprehended": np.array([1.0, 2, 3, 4]), "identified": np.array([0.0, 2, 1, 5]),
        "registered": np.array([10.0, 50, 70, 900]), "alpha": ONES, "beta": ONES,
    }  # fmt: skip
    with pytest.raises(MethodError, match=words):
        fit_irregular(Cells(**(given | change)))


def test_a_total_of_no_cell_is_refused() -> None:
    fit = fit_irregular(drawn_cells()[0])
    with pytest.raises(MethodError, match="no cell"):
        fit.total(np.zeros(len(fit.cells.registered), dtype=bool))


def test_captures_drawn_from_the_model_count_those_never_taken() -> None:
    taken = np.random.default_rng(3).poisson(0.6, 20_000)
    captures, persons = np.unique(taken[taken > 0], return_counts=True)
    fit = fit_captures(np.ones((len(captures), 1)), captures.astype(float), persons.astype(float))
    assert fit.interval[0] < 20_000 < fit.interval[1]
    assert fit.top.estimate[0] == pytest.approx(np.log(0.6), abs=0.05)


@pytest.mark.parametrize(("captures", "persons", "words"), [
    ([1, 1, 1, 1], [5, 5, 5, 5], "nobody was taken twice"),
    ([1, 2, 3, 0], [5, 5, 5, 5], "1 or more"),
    ([1, 2, 3, 1], [5, -1, 5, 5], "whole numbers"),
    ([1, 2, 3], [5, 5, 5], "does not stand beside"),
])  # fmt: skip
def test_captures_that_tell_nothing_are_refused(captures: list, persons: list, words: str) -> None:
    with pytest.raises(MethodError, match=words):
        fit_captures(ONES, np.array(captures, dtype=float), np.array(persons, dtype=float))


def test_two_independent_lists_give_lincoln_and_petersen() -> None:
    patterns, counts = count_patterns(np.array([[1.0, 0], [0, 1], [1, 1]]), np.array([80.0, 30, 20]))
    assert fit_lists(patterns, counts).size == pytest.approx(100 * 50 / 20)
    assert len(fan_around(patterns, counts).models) == 1  # three cells hold no fourth effect


@pytest.mark.parametrize(("on", "persons", "words"), [
    ([[1, 0], [0, 0]], [5, 5], "stands on no list"),
    ([[1, 2], [0, 1]], [5, 5], "on a list"),
    ([[1, 0], [0, 1]], [5, 0.5], "whole numbers"),
    ([[1], [1]], [5, 5], "between 2 and 12"),
    ([[1, 0], [1, 0]], [5, 5], "holds nobody"),
    ([[1, 0], [0, 1]], [5, 5], "no estimate"),
])  # fmt: skip
def test_tables_of_lists_that_hold_no_model_are_refused(on: list, persons: list, words: str) -> None:
    with pytest.raises(MethodError, match=words):
        fit_lists(*count_patterns(np.array(on, dtype=float), np.array(persons, dtype=float)))


def test_areas_that_vary_no_more_than_their_errors_have_no_variance_of_their_own() -> None:
    estimates = np.array([1.0, 1.01, 0.99, 1.0, 1.02, 0.98])
    fit = fit_areas(np.ones((6, 1)), estimates, np.full(6, 0.5))
    assert fit.variance == 0
    assert fit.predicted == pytest.approx(np.full(6, 1.0))


def test_areas_without_errors_to_speak_of_keep_their_estimates() -> None:
    estimates = np.array([1.0, 5.0, 2.0, 9.0, 4.0])
    fit = fit_areas(np.ones((5, 1)), estimates, np.full(5, 1e-6))
    assert fit.predicted == pytest.approx(estimates, abs=1e-5)
    assert fit.variance == pytest.approx(np.var(estimates, ddof=1), rel=1e-4)


@pytest.mark.parametrize(("design", "variances", "words"), [
    (ONES, np.array([1.0, 1, 1, 0]), "above zero"),
    (np.hstack([ONES, ONES, ONES]), np.ones(4), "bring more areas"),
    (np.hstack([ONES, ONES]), np.ones(4), "follows from the others"),
    (ONES, np.ones(3), "one row of columns"),
    (ONES, np.array([1.0, 1, 1, np.nan]), "leave it out"),
])  # fmt: skip
def test_areas_that_hold_no_model_are_refused(design: np.ndarray, variances: np.ndarray, words: str) -> None:
    with pytest.raises(MethodError, match=words):
        fit_areas(design, np.array([1.0, 2, 3, 5]), variances)


def test_a_closed_country_has_no_net_migration_by_its_own_ratios() -> None:
    first, second = np.array([100.0, 90, 50]), np.array([95.0, 80, 20])
    assert net_migration(first, second, census_survival(first, second)).average == pytest.approx(np.zeros(3))
    areas = [
        net_migration(first * part, second * there, second / first).forward for part, there in ((0.4, 0.5), (0.6, 0.5))
    ]
    assert sum(areas) == pytest.approx(np.zeros(3))
    assert residual_net_migration(1000, 1100, 200, 80) == -20


@pytest.mark.parametrize(("first", "second", "ratio", "words"), [
    ([1, 2], [1, 2], [1, 0], "above zero"), ([1, 2], [1, 2], [1], "same age groups"),
    ([-1, 2], [1, 2], [1, 1], "zero or more"), ([1, np.nan], [1, 2], [1, 1], "zero or more"),
])  # fmt: skip
def test_censuses_that_do_not_meet_are_refused(first: list, second: list, ratio: list, words: str) -> None:
    with pytest.raises(MethodError, match=words):
        net_migration(*(np.array(one, dtype=float) for one in (first, second, ratio)))


def test_an_age_group_without_anybody_has_no_ratio() -> None:
    with pytest.raises(MethodError, match="no survival ratio"):
        census_survival(np.array([0.0, 5]), np.array([1.0, 5]))


def test_flows_lead_from_one_table_to_the_other_and_the_least_is_the_least() -> None:
    chance = np.random.default_rng(4)
    start = chance.integers(0, 50, (6, 6)).astype(float)
    end = np.stack([chance.permutation(row) for row in start])
    for flows in (least_flows(start, end), mixed_flows(start, end, 1.0)):
        assert start - flows.sum(axis=2) + flows.sum(axis=1) == pytest.approx(end)
        assert flows.sum() == pytest.approx(np.abs(end - start).sum() / 2)
    assert independent_flows(start, end).sum() >= np.abs(end - start).sum() / 2
    assert least_flows(start, start).sum() == 0


@pytest.mark.parametrize(("start", "end", "words"), [
    ([[1, 2]], [[1, 3]], "births and deaths"), ([[1, 2]], [[1, 2, 0]], "one shape"),
    ([[-1, 2]], [[0, 1]], "zero or more"),
])  # fmt: skip
def test_tables_that_are_not_closed_are_refused(start: list, end: list, words: str) -> None:
    with pytest.raises(MethodError, match=words):
        least_flows(np.array(start, dtype=float), np.array(end, dtype=float))


def test_a_mix_beyond_its_parts_is_refused() -> None:
    with pytest.raises(MethodError, match="between 0 and 1"):
        mixed_flows(np.ones((1, 2)), np.ones((1, 2)), 1.2)


def test_a_likelihood_without_a_top_is_told() -> None:
    with pytest.raises(MethodError, match="no maximum"):
        maximise(lambda at: (float(at[0]), np.ones(1), np.zeros((1, 1))), np.zeros(1))
    with pytest.raises(MethodError, match="no number"):
        fit_poisson(np.full((3, 1), np.nan), np.ones(3))
