"""Areas with too few records: the Fay-Herriot model of direct estimates, by restricted maximum likelihood.

R. E. Fay & R. A. Herriot 1979, Journal of the American Statistical Association 74: 269-277; J. N. K. Rao & I. Molina,
Small Area Estimation, 2nd edition 2015, sections 6.1 to 6.2. Of area i a survey gives the direct estimate y with the
known variance D: y = x β + u + e, u ~ N(0, σ²), e ~ N(0, D). The better predictor (EBLUP) shares between y and x β by
γ = σ² / (σ² + D). It assumes that errors of areas are independent, that D is known and not itself estimated, and that
the columns x are no samples; where D is an estimate smooth it first (a generalised variance function).

Not here: the direct estimates (macro `estimates`), or models of single records.
"""

from dataclasses import dataclass

import numpy as np

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.likelihood import Array

STEPS = 200
CLOSE = 1e-12  # share of the variance that a last step moves it by; below that share of all variance it is zero


@dataclass(frozen=True)
class SmallAreas:
    """The model and what it says of each area.

    Args:
        beta: coefficients, shape (p,).
        beta_error: their standard errors, shape (p,).
        variance: σ², of the areas around the model; 0 where the estimates vary no more than their errors.
        predicted: EBLUP of each area, in the unit of the estimates, shape (n,).
        mean_squared_error: of each, second-order (Prasad & Rao 1990), in that unit squared, shape (n,).
        share: γ, weight of the direct estimate, shape (n,).
    """

    beta: Array
    beta_error: Array
    variance: float
    predicted: Array
    mean_squared_error: Array
    share: Array


def fit_areas(design: Array, estimates: Array, variances: Array, close: float = CLOSE) -> SmallAreas:
    """Fit by REML (Fisher scoring) and predict each area.

    MSE = g₁ + g₂ + 2 g₃ (Rao & Molina 2015, equation 6.2.1): g₁ = γ D, g₂ = (1-γ)² x (Σ x'x/(σ²+D))⁻¹ x',
    g₃ = D² (σ²+D)⁻³ V(σ²), V(σ²) = 2 / Σ (σ²+D)⁻².

    Args:
        design: columns x, shape (n, p), n > p + 1.
        estimates: y, shape (n,).
        variances: D, squared standard errors, above zero, shape (n,).
        close: share of σ² by which the last step may still have moved it. R's package `sae` stops at 1e-4, seven digits
            from the top.

    Raises:
        MethodError: shapes that do not meet, too few areas, a variance that is not above zero, columns that follow from
            others, or no maximum.
    """
    _require_areas(design, estimates, variances)
    sigma, scale = float(np.median(variances)), float(np.var(estimates)) + float(np.mean(variances))
    for _ in range(STEPS):
        weights = 1 / (sigma + variances)
        projection = np.diag(weights) - _hat(design, weights)
        pulled = projection @ estimates
        score = 0.5 * (float(pulled @ pulled) - float(np.trace(projection)))
        step = score / (0.5 * float(np.sum(projection * projection)))
        # Halved where it leads below zero, so that a variance which is none is approached and then taken as zero.
        after = sigma + step if sigma + step > 0 else sigma / 2
        moved, sigma = abs(after - sigma), after
        if moved < max(close * sigma, CLOSE * scale):
            break
    else:
        raise MethodError(
            f"no maximum of the likelihood in {STEPS} steps: look for areas with a variance of almost zero"
        )
    sigma = 0.0 if sigma < 10 * CLOSE * scale else sigma
    return _predict(design, estimates, variances, sigma)


def _hat(design: Array, weights: Array) -> Array:
    weighted = design * weights[:, None]
    return np.asarray(weighted @ np.linalg.inv(design.T @ weighted) @ weighted.T)


def _predict(design: Array, estimates: Array, variances: Array, sigma: float) -> SmallAreas:
    weights = 1 / (sigma + variances)
    covariance = np.linalg.inv((design.T * weights) @ design)
    beta = covariance @ ((design.T * weights) @ estimates)
    share = sigma * weights
    model = design @ beta
    spread = np.einsum("ij,jk,ik->i", design, covariance, design)
    third = variances**2 * weights**3 * 2 / float(np.sum(weights**2))
    error = share * variances + (1 - share) ** 2 * spread + 2 * third
    return SmallAreas(beta, np.sqrt(np.diag(covariance)), sigma, share * estimates + (1 - share) * model, error, share)


def _require_areas(design: Array, estimates: Array, variances: Array) -> None:
    if design.ndim != 2 or not len(design) == len(estimates) == len(variances):
        raise MethodError("a model of areas has one row of columns, one estimate and one variance for each")
    if not all(np.all(np.isfinite(one)) for one in (design, estimates, variances)):
        raise MethodError("an area has no estimate, no variance or no value of a column: leave it out")
    if np.any(variances <= 0):
        raise MethodError("the variance of each direct estimate is above zero: an area without an error is none")
    if len(design) < design.shape[1] + 2:
        raise MethodError(f"{len(design)} areas for {design.shape[1]} coefficients and a variance: bring more areas")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise MethodError("a column of the model follows from the others: leave it out")
