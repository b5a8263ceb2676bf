"""Likelihoods at their top: Newton's method, and Poisson regression with a log link as the case that comes most.

Not here: any model of its own (the modules beside this one), or the tables that a design matrix is made of.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hims_pipeline.errors import MethodError

Array = NDArray[np.float64]
# What a likelihood gives at a point: its value, gradient (p,) and matrix of second derivatives (p, p).
Derivatives = tuple[float, Array, Array]
STEPS = 200
SHORTEST = 1e-10  # of a step, halved so far without a better likelihood
CLOSE = 1e-10  # of the decrement: twice what a further step is expected to gain
RIDGE = 1e-9  # of the largest diagonal element, added where information is singular
NORMAL_95 = 1.959963984540054  # the 97.5 % quantile of the standard normal distribution


@dataclass(frozen=True)
class Maximum:
    """A likelihood at its top.

    Args:
        estimate: coefficients, shape (p,).
        log_likelihood: with all constants, natural logarithm.
        information: minus the matrix of second derivatives, shape (p, p).
    """

    estimate: Array
    log_likelihood: float
    information: Array

    @property
    def covariance(self) -> Array:
        """Inverse information, shape (p, p).

        Raises:
            MethodError: the data do not tell the coefficients apart.
        """
        try:
            return np.asarray(np.linalg.inv(self.information), dtype=float)
        except np.linalg.LinAlgError:
            raise MethodError("the data do not tell the coefficients apart: leave out a column of the model") from None


def maximise(likelihood: Callable[[Array], Derivatives], start: Array) -> Maximum:
    """Climb a log-likelihood by Newton's method, each step halved until the likelihood grows.

    Args:
        likelihood: value and derivatives at coefficients of shape (p,).
        start: where to begin, shape (p,).

    Raises:
        MethodError: no top was reached, or the likelihood is no number where it begins.
    """
    here = np.asarray(start, dtype=float)
    value, gradient, hessian = likelihood(here)
    if not math.isfinite(value):
        raise MethodError("the likelihood is no number at its start: look for empty or negative values in the table")
    for _ in range(STEPS):
        step = _ascent(gradient, -hessian)
        if float(gradient @ step) < CLOSE * max(1.0, abs(value)) ** 0.5:
            return Maximum(here, value, -hessian)
        length = 1.0
        while True:
            after = likelihood(here + length * step)
            if math.isfinite(after[0]) and after[0] >= value:
                break
            length /= 2
            if length < SHORTEST:  # no floating-point number is higher
                return Maximum(here, value, -hessian)
        here = here + length * step
        value, gradient, hessian = after
    raise MethodError(f"no maximum of the likelihood in {STEPS} steps: the model has more than the data tell of")


def _ascent(gradient: Array, information: Array) -> Array:
    """A step upwards: Newton's where the information is positive, else that with the diagonal raised until it is."""
    lift = 0.0
    top = max(float(np.max(np.abs(np.diag(information)))), 1e-12)
    for _ in range(40):
        try:
            lower = np.linalg.cholesky(information + lift * top * np.eye(len(gradient)))
            return np.linalg.solve(lower.T, np.linalg.solve(lower, gradient))
        except np.linalg.LinAlgError:
            lift = max(RIDGE, lift * 10)
    raise MethodError("the likelihood has no direction that leads upwards: look for empty values in the table")


def log_factorials(counts: Array) -> Array:
    """log(y!) of whole numbers, shape as given."""
    return np.array([math.lgamma(one + 1.0) for one in counts.ravel()]).reshape(counts.shape)


def fit_poisson(design: Array, counts: Array) -> Maximum:
    """Poisson regression with a log link (McCullagh & Nelder, Generalized Linear Models, 1989, chapter 6).

    Args:
        design: columns of the model, shape (n, p).
        counts: whole numbers of zero or more, shape (n,).

    Raises:
        MethodError: no maximum, negative counts, or shapes that do not meet.
    """
    require_counts(design, counts)
    constant = float(log_factorials(counts).sum())

    def likelihood(beta: Array) -> Derivatives:
        predictor = design @ beta
        with np.errstate(over="ignore"):
            mean = np.exp(predictor)
        if not np.all(np.isfinite(mean)):
            return -math.inf, beta, np.eye(len(beta))
        weighted = design.T * mean
        return float(counts @ predictor - mean.sum()) - constant, design.T @ (counts - mean), -(weighted @ design)

    start, *_ = np.linalg.lstsq(design, np.log(counts + 0.5), rcond=None)
    return maximise(likelihood, np.asarray(start, dtype=float))


def require_counts(design: Array, counts: Array, least: int = 0) -> None:
    """Raises `MethodError` unless a design (n, p) has full rank and stands beside n whole numbers of `least` or
    more."""
    if design.ndim != 2 or design.shape[0] != counts.shape[0] or counts.ndim != 1:
        raise MethodError(f"a design of shape {design.shape} does not stand beside counts of shape {counts.shape}")
    if not np.all(np.isfinite(design)):
        raise MethodError("a column of the model holds what is no number")
    if np.any(counts < least) or np.any(counts != np.floor(counts)):
        raise MethodError(f"counts are whole numbers of {least} or more")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise MethodError("a column of the model follows from the others: leave it out, or join small classes")


def independent_columns(design: Array) -> Array:
    """The columns of a design, from the left, that do not follow from those before them; shape (n, p or fewer)."""
    kept: list[int] = []
    for at in range(design.shape[1]):
        if np.linalg.matrix_rank(design[:, [*kept, at]]) > len(kept):
            kept.append(at)
    return design[:, kept]
