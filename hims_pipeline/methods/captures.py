"""Persons whom one list never held, from how often it held the others: zero-truncated Poisson regression.

P. G. M. van der Heijden, R. Bustami, M. Cruyff, G. Engbersen & H. C. van Houwelingen 2003, Point and interval
estimation of the population size using the truncated Poisson regression model, Statistical Modelling 3: 305-322. Each
person of a closed population is taken y times, y ~ Poisson(λ), log λ = X β; those with y = 0 are not seen. It assumes
that being taken once changes nothing for the next time, and that all that makes people differ stands in X: what is
left out makes the estimate too low. The interval holds neither.

Not here: several lists that share persons (`lists.py`), or aggregates (`irregular.py`).
"""

import math
from dataclasses import dataclass

import numpy as np

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.likelihood import (
    NORMAL_95,
    Array,
    Derivatives,
    Maximum,
    log_factorials,
    maximise,
    require_counts,
)


@dataclass(frozen=True)
class Captured:
    """A population of which those seen are known.

    Args:
        top: coefficients β, shape (p,), with their information.
        seen: persons in the list.
        size: N̂, persons, seen or not.
        standard_error: of N̂, persons.
    """

    top: Maximum
    seen: float
    size: float
    standard_error: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of N̂, persons, symmetric, as its authors give it."""
        return self.size - NORMAL_95 * self.standard_error, self.size + NORMAL_95 * self.standard_error

    @property
    def aic(self) -> float:
        """Akaike's criterion; of two models the lower one is to be preferred."""
        return 2 * len(self.top.estimate) - 2 * self.top.log_likelihood


def fit_captures(design: Array, captures: Array, persons: Array) -> Captured:
    """Fit the zero-truncated Poisson regression, and count those whom the list never held.

        N̂ = Σ f / (1 - p₀),  p₀ = exp(-λ)
        V(N̂) = (∂N̂/∂β)' I⁻¹ (∂N̂/∂β) + Σ f p₀ / (1 - p₀)²       (equations 6 to 12 of the source)

    Args:
        design: columns of the model for each group of persons alike, shape (n, p).
        captures: how often each of the group was taken, one or more, shape (n,).
        persons: f, how many there are in the group, shape (n,).

    Raises:
        MethodError: nobody was taken twice, counts that are none, columns that follow from others, or no maximum.
    """
    require_counts(design, captures, least=1)
    require_counts(design, persons)
    if not np.any((captures > 1) & (persons > 0)):
        raise MethodError("nobody was taken twice, so the list tells nothing of those it never held")

    constant = float(persons @ log_factorials(captures))

    def likelihood(beta: Array) -> Derivatives:
        predictor = design @ beta
        if np.max(np.abs(predictor)) > 500:  # beyond it exp overflows, or all captures are single ones
            return -math.inf, beta, np.eye(len(beta))
        rate = np.exp(predictor)
        seen = -np.expm1(-rate)
        expected = rate / seen
        value = float(persons @ (captures * predictor - rate - np.log(seen))) - constant
        curve = expected * (1 + rate - expected)  # variance of a truncated Poisson
        return value, design.T @ (persons * (captures - expected)), -(design.T * (persons * curve)) @ design

    top = maximise(likelihood, np.zeros(design.shape[1]))
    rate = np.exp(design @ top.estimate)
    seen = -np.expm1(-rate)
    slope = -(persons * rate * np.exp(-rate) / seen**2) @ design
    variance = float(slope @ top.covariance @ slope) + float(persons @ (np.exp(-rate) / seen**2))
    return Captured(top, float(persons.sum()), float((persons / seen).sum()), math.sqrt(variance))
