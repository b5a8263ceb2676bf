"""Calibrated and replicate weights on the examples of R's survey: what `calibrate` and `as.svrepdesign` give there."""

import csv

import numpy as np
import pytest

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.calibration import (
    calibrate,
    estimate_calibrated,
    replicate_scales,
    variance_of_replicates,
    variance_of_sum,
)
from hims_pipeline.settings import REPOSITORY

ROWS = list(csv.DictReader((REPOSITORY / "tests/indicators/api.csv").open(encoding="utf-8")))
CLUSTERS = [row for row in ROWS if row["sample"] == "apiclus1"]
WEIGHT, SCORE, FORMER, KNOWN = (
    np.array([float(row[name]) for row in CLUSTERS]) for name in ("weight", "api00", "api99", "population_units")
)
STRATA, UNITS = ["_"] * len(CLUSTERS), [row["psu"] for row in CLUSTERS]
# svymean and svytotal of api00 with their errors, by calibrate(d, …) and calibrate(d, …, calfun = "raking").
R_LINEAR = (665.309071165780, 3.44175311640481, 4120924.38680084, 21318.2188030115)
R_RAKED = (641.230320924124, 23.7036168884202, 3971780.60828725, 146820.203024737)
R_JK1, R_JKN = 26.594161357710597, 9.53613229692519  # of as.svrepdesign(type = "JK1"), and "JKn" of apistrat
IS = {level: np.array([float(row["stype"] == level) for row in CLUSTERS]) for level in "HM"}
MET = np.array([float(row["sch.wide"] == "Yes") for row in CLUSTERS])
BY_FORMER = np.stack([np.ones(len(CLUSTERS)), IS["H"], IS["M"], FORMER], axis=1)
BY_TARGET = np.stack([np.ones(len(CLUSTERS)), IS["H"], IS["M"], MET], axis=1)


@pytest.mark.parametrize(
    ("design", "totals", "raking", "wanted"),
    [
        (BY_FORMER, (6194, 755, 1018, 3914069), False, R_LINEAR),
        (BY_TARGET, (6194, 755, 1018, 5122), True, R_RAKED),
    ],
)  # fmt: skip
def test_calibrated_estimates_and_errors_are_those_of_r_calibrate(design, totals, raking: bool, wanted) -> None:
    """apiclus1 to the numbers of schools by level, and the sum of their former scores or how many met their target."""
    made = calibrate(WEIGHT, design, np.array(totals, dtype=float), raking)
    assert made.design.T @ made.weights == pytest.approx(totals, rel=1e-10)
    mean, total = estimate_calibrated(made, SCORE, STRATA, UNITS, KNOWN)
    assert (*mean, *total) == pytest.approx(wanted, rel=1e-9)


def test_without_totals_an_error_is_that_of_the_design() -> None:
    mean = WEIGHT @ SCORE / WEIGHT.sum()
    scores = WEIGHT * (SCORE - mean) / WEIGHT.sum()
    assert variance_of_sum(scores, STRATA, UNITS, KNOWN) ** 0.5 == pytest.approx(23.542240693781, rel=1e-9)


def test_replicates_of_a_jackknife_are_those_of_r() -> None:
    units = sorted(set(UNITS))
    kept = [np.array([float(unit != left) for unit in UNITS]) * WEIGHT for left in units]
    estimates = np.array([w @ SCORE / w.sum() for w in kept])
    error = variance_of_replicates(estimates, replicate_scales("JK1", len(units))) ** 0.5
    assert error == pytest.approx(R_JK1, rel=1e-9)


def test_replicates_of_strata_have_factors_of_their_own() -> None:
    rows = [row for row in ROWS if row["sample"] == "apistrat"]
    weight, score = (np.array([float(row[name]) for row in rows]) for name in ("weight", "api00"))
    strata = np.array([row["stratum"] for row in rows])
    estimates, factors = [], []
    for at, stratum in enumerate(strata):
        drawn = int((strata == stratum).sum())
        w = np.where(strata == stratum, weight * drawn / (drawn - 1), weight)
        w[at] = 0
        estimates.append(w @ score / w.sum())
        factors.append((drawn - 1) / drawn)
    error = variance_of_replicates(np.array(estimates), 1, np.array(factors)) ** 0.5
    assert error == pytest.approx(R_JKN, rel=1e-9)


def test_scales_of_balanced_halves() -> None:
    assert replicate_scales("BRR", 80) == 1 / 80
    assert replicate_scales("BRR", 80, fay=0.5) == 1 / 20
    with pytest.raises(MethodError, match="scales of their own"):
        replicate_scales("JKN", 80)


@pytest.mark.parametrize(
    ("weights", "design", "totals", "message"),
    [
        (np.zeros(3), np.ones((3, 1)), [3.0], "above zero"),
        (np.ones(3), np.ones((3, 2)), [3.0, 3.0], "say the same"),
        (np.ones(3), np.array([[1.0, 0], [1, 1], [1, 1]]), [3.0, 5.0], "no weights of this kind"),
    ],
)
def test_what_no_weights_can_have_says_so(weights, design, totals, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        calibrate(weights, design, np.array(totals), raking=True)


def test_a_stratum_of_one_unit_shows_no_variance() -> None:
    with pytest.raises(MethodError, match="one unit"):
        variance_of_sum(np.ones(3), ["a", "a", "b"], ["1", "2", "3"])
    assert variance_of_sum(np.ones(3), ["a", "a", "b"], ["1", "2", "3"], np.array([2.0, 2.0, 1.0])) == 0
