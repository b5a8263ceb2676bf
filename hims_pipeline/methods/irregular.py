"""Irregular residents from aggregates: apprehensions beside two registers (Zhang 2008).

L.-C. Zhang, Developing methods for determining the number of unauthorized foreigners in Norway, Statistics Norway
Documents 2008/11; with covariates, Beręsewicz & Pawlukiewicz 2020, arXiv 2008.09407. Of cell i, such as a country of
citizenship in a year, are known m, foreigners apprehended for their stay, n, foreigners whom the police identified in
the course of other work, and N, foreigners in a register of regular stay. The model

    m_i ~ Poisson(N_i^α_i · (γ + n_i / N_i)^β_i),      α_i = A_i a,  β_i = B_i b,  γ > 0

calls ξ_i = N_i^α_i the irregular residents and the rest their rate of apprehension. Nothing in the data says that this
split is so: ξ rests on the form of the model, and with it on γ, of which the likelihood may say little. So an estimate
comes with the profile of γ and with what is left when parts of the cells are taken out.

Not here: registers or apprehensions of single persons (`captures.py`, `lists.py`).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hims_pipeline.errors import MethodError
from hims_pipeline.methods import likelihood as poisson
from hims_pipeline.methods.likelihood import NORMAL_95, Array, Derivatives, Maximum, maximise

GRID = tuple(float(one) for one in np.geomspace(1e-5, 1.0, 41))  # of γ, where the likelihood is first looked at
Chosen = NDArray[np.bool_]  # which cells, shape (n,)
LARGEST_LOG_GAMMA = 20.0  # far above any share n/N: there the rate is γ^β alone
DROP_95 = 1.920729410347062  # of the log-likelihood: half the 95 % quantile of χ² with one degree of freedom


@dataclass(frozen=True)
class Cells:
    """What is known of each cell, all of shape (n,), and the model's columns.

    Args:
        apprehended: m, whole persons.
        identified: n, whole persons.
        registered: N, persons, one or more.
        alpha: columns A of α, shape (n, p).
        beta: columns B of β, shape (n, q).
    """

    apprehended: Array
    identified: Array
    registered: Array
    alpha: Array
    beta: Array

    def of(self, chosen: Chosen) -> "Cells":
        """Those cells of which `chosen`, shape (n,), is true, with the columns that still tell something in them."""
        alpha, beta = (poisson.independent_columns(columns[chosen]) for columns in (self.alpha, self.beta))
        return Cells(self.apprehended[chosen], self.identified[chosen], self.registered[chosen], alpha, beta)


@dataclass(frozen=True)
class GammaProfile:
    """The likelihood along γ: all else at its best for each.

    Args:
        gamma: values looked at, shape (k,).
        log_likelihood: shape (k,).
        total: irregular residents of all cells, persons, shape (k,).
        dispersion: Pearson's χ² at the best of them by its degrees of freedom; 1 where counts vary as Poisson's.
    """

    gamma: Array
    log_likelihood: Array
    total: Array
    dispersion: float

    @property
    def likely(self) -> Chosen:
        """Which γ the data do not rule out at 95 %, shape (k,): a likelihood ratio over the dispersion, since counts
        that vary more than Poisson's would else rule out too much (McCullagh & Nelder 1989, section 9.2)."""
        drop = DROP_95 * max(1.0, self.dispersion)
        return np.asarray(self.log_likelihood >= self.log_likelihood.max() - drop)

    @property
    def is_identified(self) -> bool:
        """Whether the data rule out some γ on either side of what they do not rule out."""
        return not (self.likely[0] or self.likely[-1])

    @property
    def range_of_total(self) -> tuple[float, float]:
        """Least and largest total over the γ that the data do not rule out, persons."""
        return float(self.total[self.likely].min()), float(self.total[self.likely].max())


@dataclass(frozen=True)
class Irregular:
    """The model at its most likely.

    Args:
        cells: what it was fitted to.
        top: coefficients a, b and log γ, in that order, shape (p + q + 1,), with their information.
    """

    cells: Cells
    top: Maximum

    @property
    def gamma(self) -> float:
        """Estimate of γ, no unit."""
        return float(np.exp(self.top.estimate[-1]))

    @property
    def residents(self) -> Array:
        """ξ, irregular residents of each cell, persons, shape (n,)."""
        a = self.top.estimate[: self.cells.alpha.shape[1]]
        return np.asarray(self.cells.registered ** (self.cells.alpha @ a))

    def total(self, chosen: Chosen) -> tuple[float, float, float]:
        """Irregular residents of the cells of which `chosen`, shape (n,), is true, with a 95 % interval, in persons.

        The interval is the delta method's on the logarithm of the total, since its error is multiplicative, over
        the `robust` covariance: counts of apprehensions vary far more than Poisson's.

        Raises:
            MethodError: no cell is chosen, or the data do not tell the coefficients apart.
        """
        whole, error = self.log_error(chosen)
        return whole, whole * math.exp(-NORMAL_95 * error), whole * math.exp(NORMAL_95 * error)

    def log_error(self, chosen: Chosen) -> tuple[float, float]:
        """Irregular residents of some cells, persons, and the standard error of their logarithm; raises as `total`."""
        if not np.any(chosen):
            raise MethodError("a total of no cell: choose at least one")
        here = self.residents[chosen]
        slopes = (here * np.log(self.cells.registered[chosen])) @ self.cells.alpha[chosen]
        whole, width = float(here.sum()), len(slopes)
        return whole, math.sqrt(float(slopes @ self.robust[:width, :width] @ slopes)) / whole

    @property
    def robust(self) -> Array:
        """Covariance of the coefficients that holds whatever the counts' variances, HC3 (MacKinnon & White 1985,
        Journal of Econometrics 29: 305-325), over Fisher's information; shape (p + q + 1, p + q + 1).

        Raises:
            MethodError: the data do not tell the coefficients apart, or a cell alone decides on one of them.
        """
        mean, slopes = _mean_and_slopes(self.cells, self.top.estimate)
        bread = Maximum(self.top.estimate, self.top.log_likelihood, (slopes.T * mean) @ slopes).covariance
        leverage = np.einsum("ij,jk,ik->i", slopes, bread, slopes) * mean
        if np.any(leverage > 1 - 1e-9):
            raise MethodError("a cell alone decides on a coefficient, so its error cannot be told: join small classes")
        spread = ((self.cells.apprehended - mean) / (1 - leverage)) ** 2
        return np.asarray(bread @ ((slopes.T * spread) @ slopes) @ bread)


def fit_irregular(cells: Cells) -> Irregular:
    """Fit Zhang's model by maximum likelihood, from the best of a grid of γ on.

    Raises:
        MethodError: a register without anybody, counts that are none, columns that follow from others, or no maximum.
    """
    _require_cells(cells)
    fits = [poisson.fit_poisson(_design(cells, gamma), cells.apprehended) for gamma in GRID]
    best = int(np.argmax([one.log_likelihood for one in fits]))
    start = np.append(fits[best].estimate, math.log(GRID[best]))
    return Irregular(cells, maximise(lambda at: _likelihood(cells, at), start))


def profile_gamma(cells: Cells, gammas: tuple[float, ...] = GRID) -> GammaProfile:
    """The likelihood and the total along γ: with it given, a Poisson regression on A·log N and B·log(γ + n/N).

    Raises:
        MethodError: as `fit_irregular`.
    """
    _require_cells(cells)
    fits = [poisson.fit_poisson(_design(cells, gamma), cells.apprehended) for gamma in gammas]
    width = cells.alpha.shape[1]
    totals = [float((cells.registered ** (cells.alpha @ one.estimate[:width])).sum()) for one in fits]
    likelihoods = np.array([one.log_likelihood for one in fits])
    best = int(likelihoods.argmax())
    mean = np.exp(_design(cells, gammas[best]) @ fits[best].estimate)
    spare = len(mean) - len(fits[best].estimate) - 1
    if spare < 1:
        raise MethodError("as many coefficients as cells: bring more cells, or leave columns out")
    dispersion = float(((cells.apprehended - mean) ** 2 / mean).sum()) / spare
    return GammaProfile(np.array(gammas), likelihoods, np.array(totals), dispersion)


def totals_without(fit: Irregular, parts: dict[str, Chosen]) -> dict[str, tuple[float, float]]:
    """What the total of the cells that stay becomes when a part of the cells is left out of the fit.

    Args:
        fit: to all cells.
        parts: name -> which cells are left out, shape (n,).

    Returns:
        Name -> total of the cells that stay by the fit to all, and by the fit without the part, both in persons.

    Raises:
        MethodError: as `fit_irregular`, of what stays.
    """
    totals = {}
    for name, out in parts.items():
        again = fit_irregular(fit.cells.of(~out))
        totals[name] = (float(fit.residents[~out].sum()), float(again.residents.sum()))
    return totals


def _design(cells: Cells, gamma: float) -> Array:
    rate = np.log(gamma + cells.identified / cells.registered)
    return np.hstack([cells.alpha * np.log(cells.registered)[:, None], cells.beta * rate[:, None]])


def _mean_and_slopes(cells: Cells, at: Array) -> tuple[Array, Array]:
    """Expected apprehensions, shape (n,), and the slopes of their logarithm by all coefficients, shape (n, p + q +
    1)."""
    gamma = math.exp(at[-1])
    design = _design(cells, gamma)
    share = gamma / (gamma + cells.identified / cells.registered)
    last = (cells.beta @ at[cells.alpha.shape[1] : -1]) * share
    with np.errstate(over="ignore"):
        return np.exp(design @ at[:-1]), np.hstack([design, last[:, None]])


def _likelihood(cells: Cells, at: Array) -> Derivatives:
    if at[-1] > LARGEST_LOG_GAMMA:
        return -math.inf, at, np.eye(len(at))
    mean, slopes = _mean_and_slopes(cells, at)
    if not np.all(np.isfinite(mean)):
        return -math.inf, at, np.eye(len(at))
    width, gamma = cells.alpha.shape[1], math.exp(at[-1])
    share = gamma / (gamma + cells.identified / cells.registered)
    left = cells.apprehended - mean
    hessian = -(slopes.T * mean) @ slopes
    # Second derivatives of the mean's logarithm are zero but by γ's logarithm: with β, and twice.
    cross = left @ (cells.beta * share[:, None])
    hessian[width:-1, -1] += cross
    hessian[-1, width:-1] += cross
    hessian[-1, -1] += float(left @ (slopes[:, -1] * (1 - share)))
    value = float(cells.apprehended @ np.log(mean) - mean.sum() - poisson.log_factorials(cells.apprehended).sum())
    return value, slopes.T @ left, hessian


def _require_cells(cells: Cells) -> None:
    if np.any(cells.registered < 1) or np.any(cells.identified < 0):
        raise MethodError(
            "a cell has one registered person or more, and none below zero identified: leave out the others"
        )
    poisson.require_counts(_design(cells, GRID[-1]), cells.apprehended)
