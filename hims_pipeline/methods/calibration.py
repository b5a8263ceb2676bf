"""Weights that add up to published totals, and errors that have the gain from it; and errors from replicate weights.

J.-C. Deville & C.-E. Särndal 1992, Calibration estimators in survey sampling, JASA 87: 376-382, of which the linear
method is the regression estimator and raking the one with w = d exp(x λ). The error is that of the residuals of the
variable from its regression on the auxiliary ones, with design weights, times the calibrated weights (as R's
survey::calibrate): what the totals explain is no longer uncertain. Replicates: their spread around their mean, times
the scales that whoever made the weights gives (as R's svrepdesign). Not here: errors of published figures (the macros
of the dbt project).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.likelihood import Array

CLOSE = 1e-11  # relative to the largest total: how far calibrated sums may be off
STEPS = 100


@dataclass(frozen=True)
class Calibrated:
    """Weights calibrated to totals.

    Attributes:
        weights: calibrated, shape (n,).
        before: design weights, shape (n,).
        design: auxiliary variables, shape (n, p).
    """

    weights: Array
    before: Array
    design: Array

    @property
    def ratios(self) -> Array:
        """What each weight was multiplied by, shape (n,)."""
        ratios: Array = self.weights / self.before
        return ratios

    def residuals_of(self, values: Array) -> Array:
        """What the auxiliary variables do not explain of values, by design weights; shape (n,)."""
        root = np.sqrt(self.before)
        beta = np.linalg.lstsq(self.design * root[:, None], values * root, rcond=None)[0]
        residuals: Array = values - self.design @ beta
        return residuals


def calibrate(before: Array, design: Array, totals: Array, raking: bool = False) -> Calibrated:
    """Weights as near to the design's as there are whose sums over the auxiliary variables are the totals.

    Args:
        before: design weights, positive, shape (n,).
        design: auxiliary variables, shape (n, p), of full rank.
        totals: their totals in the population, shape (p,).
        raking: keep weights positive, by factors exp(x λ); else they are 1 + x λ.

    Raises:
        MethodError: a weight that is not positive, variables that say the same, or totals that no such weights have.
    """
    if (before <= 0).any():
        raise MethodError("design weights are above zero: leave out records without weight")
    if np.linalg.matrix_rank(design * np.sqrt(before)[:, None]) < design.shape[1]:
        raise MethodError("the auxiliary columns say the same as others: leave one out")
    factors, slope = np.zeros(design.shape[1]), np.linalg.norm(totals, np.inf)
    for _ in range(STEPS):
        linear = design @ factors
        ratio = np.exp(np.clip(linear, -50, 50)) if raking else 1 + linear
        weights = before * ratio
        off = totals - design.T @ weights
        if np.abs(off).max() <= CLOSE * slope:
            return Calibrated(weights, before, design)
        curvature = weights if raking else before
        try:
            factors = factors + np.linalg.solve(design.T @ (design * curvature[:, None]), off)
        except np.linalg.LinAlgError:
            break
    raise MethodError("no weights of this kind have these totals: look whether a total is that of its class")


def variance_of_sum(scores: Array, strata: Sequence[str], units: Sequence[str], known: Array | None = None) -> float:
    """Variance of a sum over a sample of units within strata, drawn without replacement where their numbers are known.

    Args:
        scores: weight times linearised value of each record, shape (n,).
        known: units of the record's stratum in the population, shape (n,).

    Raises:
        MethodError: a stratum with one unit, of which others are in the population.
    """
    places, inverse = np.unique(
        np.array([f"{h}\x1f{u}" for h, u in zip(strata, units, strict=True)]), return_inverse=True
    )
    sums = np.bincount(inverse, weights=scores)
    of_stratum = np.array([place.split("\x1f")[0] for place in places])
    there = dict(zip(strata, known, strict=True)) if known is not None else {}
    variance = 0.0
    for stratum in np.unique(of_stratum):
        drawn = sums[of_stratum == stratum]
        left_out = 1 - len(drawn) / max(there[stratum], len(drawn)) if stratum in there else 1.0
        if len(drawn) > 1:
            variance += left_out * len(drawn) * drawn.var(ddof=1)
        elif left_out > 0:
            raise MethodError("a stratum with one unit shows no variance: join it with another")
    return float(variance)


def estimate_calibrated(
    of: Calibrated, values: Array, strata: Sequence[str], units: Sequence[str], known: Array | None = None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Mean and total of values under calibrated weights, each with its standard error; else as `variance_of_sum`."""
    whole, total = of.weights.sum(), float(of.weights @ values)
    mean = total / whole
    errors = [
        variance_of_sum(of.weights * of.residuals_of(linearised), strata, units, known) ** 0.5
        for linearised in ((values - mean) / whole, values)
    ]
    return (float(mean), errors[0]), (total, errors[1])


def replicate_scales(kind: str, replicates: int, fay: float = 0.0) -> float:
    """The factor by which squares of replicates around their mean are summed.

    Args:
        kind: `JK1`, or `BRR` (with `fay`, the share of weight that the dropped half keeps).

    Raises:
        MethodError: another kind, which needs scales of its own.
    """
    if kind == "JK1":
        return (replicates - 1) / replicates
    if kind == "BRR":
        return 1 / (replicates * (1 - fay) ** 2)
    raise MethodError(f"replicates of kind {kind} need scales of their own: say them as their producer does")


def variance_of_replicates(replicates: Array, scale: float, factors: Array | None = None) -> float:
    """Variance of an estimate from those under each set of replicate weights.

    Args:
        replicates: the estimate under each set, shape (r,).
        scale: for all squares, as of `replicate_scales`, or 1.
        factors: for each square, shape (r,), as (n_h - 1) / n_h of JKn; 1 without them.
    """
    squares = (replicates - replicates.mean()) ** 2
    return float(scale * (squares @ factors if factors is not None else squares.sum()))
