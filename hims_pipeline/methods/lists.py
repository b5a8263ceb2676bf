"""Persons whom none of several lists holds: log-linear models of an incomplete table (multiple systems estimation).

S. E. Fienberg 1972, The multiple recapture census for closed populations and incomplete 2^k contingency tables,
Biometrika 59: 591-603; for victims of slavery in the United Kingdom B. Silverman 2014, Modern Slavery: an application
of multiple systems estimation, Home Office. The table of who is on which of k lists lacks one cell, nobody's; a Poisson
log-linear model of the 2^k - 1 others, with an effect of each list and of some pairs, expects exp(μ) in it.

The models of a table fit it about alike and disagree on that cell, and a selection among them promises more than it
has (J. Whitehead, J. Jackson, A. Balch & B. Francis 2021, On the unreliability of multiple systems analysis for
estimating the number of potential victims of modern slavery in the UK, Journal of Human Trafficking 7: 1-13). So this
module gives a fan of models, with the size that each one says, and never one of them alone.

Not here: one list with repeated captures (`captures.py`).
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.likelihood import NORMAL_95, Array, Maximum, fit_poisson

Pair = tuple[int, int]
MOST_LISTS = 12  # 4,095 cells
NEVER = 1e-7  # persons: a cell that a model expects to hold fewer has an effect without an estimate


@dataclass(frozen=True)
class Sizing:
    """What one model says.

    Args:
        pairs: of lists that attract or avoid each other in it, by their places.
        size: N̂, persons on any list or none.
        interval: 95 %, persons: of the unseen on the logarithm, given that this model is true.
        aic: Akaike's criterion.
    """

    pairs: tuple[Pair, ...]
    size: float
    interval: tuple[float, float]
    aic: float


@dataclass(frozen=True)
class Fan:
    """What several models of one table say.

    Args:
        seen: persons on one list or more.
        models: by the order in which they were made; the first has no pair.
    """

    seen: float
    models: tuple[Sizing, ...]

    @property
    def range_of_size(self) -> tuple[float, float]:
        """Least and largest size that a model says, persons."""
        sizes = [one.size for one in self.models]
        return min(sizes), max(sizes)


def count_patterns(on: Array, persons: Array) -> tuple[Array, Array]:
    """All patterns of lists but the empty one, and how many persons each has.

    Args:
        on: 1 where a row's persons are on the list, 0 elsewhere, shape (n, k).
        persons: whole numbers, shape (n,).

    Returns:
        Patterns, shape (2^k - 1, k), and persons, shape (2^k - 1,), zero where no row has the pattern.

    Raises:
        MethodError: fewer than two lists or more than twelve, another value than 0 and 1, or a row on no list.
    """
    if on.ndim != 2 or not 2 <= on.shape[1] <= MOST_LISTS or len(on) != len(persons):
        raise MethodError(f"a table of lists has between 2 and {MOST_LISTS} of them, and persons beside each row")
    if not np.all((on == 0) | (on == 1)):
        raise MethodError("a row is on a list (1) or not (0)")
    if np.any(on.sum(axis=1) == 0):
        raise MethodError("a row stands on no list: those persons are what is looked for, take the row out")
    if np.any(persons < 0) or np.any(persons != np.floor(persons)):
        raise MethodError("persons are whole numbers of zero or more")
    patterns = np.array([one for one in product((0.0, 1.0), repeat=on.shape[1]) if any(one)])
    counts = np.array([float(persons[np.all(on == one, axis=1)].sum()) for one in patterns])
    return patterns, counts


def fit_lists(patterns: Array, counts: Array, pairs: tuple[Pair, ...] = ()) -> Sizing:
    """Fit the model with these pairs.

    Lists that share nobody have an effect of minus infinity as a pair: their common cells are expected to be empty and
    are, so they are left out, and the effect counts as a coefficient (the extended maximum of L. Chan, B. Silverman &
    K. Vincent 2021, Journal of the American Statistical Association 116: 1297-1306).

    Args:
        patterns, counts: as `count_patterns` gives them.
        pairs: places of the two lists of each, the lower first.

    Raises:
        MethodError: a list without anybody, or a model whose effects have no estimate in this table.
    """
    if np.any(counts @ patterns == 0):
        raise MethodError("a list holds nobody: leave it out")
    both = {(a, b): patterns[:, a] * patterns[:, b] for a, b in pairs}
    empty = [pair for pair, cells in both.items() if not counts @ cells]
    kept = np.ones(len(counts), dtype=bool)
    for pair in empty:
        kept &= both[pair] == 0
    columns = [np.ones(len(counts)), *patterns.T, *(cells for pair, cells in both.items() if pair not in empty)]
    design = np.stack(columns, axis=1)[kept]
    top = fit_poisson(design, counts[kept])
    if np.exp(design @ top.estimate).min() < NEVER:
        raise MethodError(
            "effects of this model have no estimate: some combinations of lists that it needs hold nobody"
        )
    return _as_sizing(top, float(counts.sum()), pairs, len(empty))


def select_forward(patterns: Array, counts: Array) -> Fan:
    """The models that forward selection passes: from none on, the pair that lowers Akaike's criterion most, until none
    does. Models that have no estimate are passed over.

    Raises:
        MethodError: as `fit_lists`, of the model without pairs.
    """
    left = list(combinations(range(patterns.shape[1]), 2))
    models = [fit_lists(patterns, counts)]
    while tries := _fits(patterns, counts, [(*models[-1].pairs, pair) for pair in left]):
        best = min(tries, key=lambda one: one.aic)
        if best.aic >= models[-1].aic:
            break
        models.append(best)
        left.remove(best.pairs[-1])
    return Fan(float(counts.sum()), tuple(models))


def fan_around(patterns: Array, counts: Array, within: float = 4.0) -> Fan:
    """The models of the forward path, and each that differs from its last one by a pair more or less, with a criterion
    within so many units of it (4: "considerably less support" begins beyond, Burnham & Anderson 2002, page 70).

    Raises:
        MethodError: as `fit_lists`, of the model without pairs.
    """
    path = select_forward(patterns, counts)
    last, models = path.models[-1], {frozenset(one.pairs): one for one in path.models}
    near = [
        tuple(one for one in last.pairs if one != pair) if pair in last.pairs else (*last.pairs, pair)
        for pair in combinations(range(patterns.shape[1]), 2)
    ]
    for model in _fits(patterns, counts, [pairs for pairs in near if frozenset(pairs) not in models]):
        if model.aic <= last.aic + within:
            models[frozenset(model.pairs)] = model
    return Fan(path.seen, tuple(models.values()))


def _fits(patterns: Array, counts: Array, several: list[tuple[Pair, ...]]) -> list[Sizing]:
    models = []
    for pairs in several:
        with suppress(MethodError):  # of some combinations of pairs this table says nothing
            models.append(fit_lists(patterns, counts, pairs))
    return models


def _as_sizing(top: Maximum, seen: float, pairs: tuple[Pair, ...], infinite: int) -> Sizing:
    unseen = math.exp(top.estimate[0])
    width = NORMAL_95 * math.sqrt(float(top.covariance[0, 0]))
    interval = (seen + unseen * math.exp(-width), seen + unseen * math.exp(width))
    return Sizing(pairs, seen + unseen, interval, 2 * (len(top.estimate) + infinite) - 2 * top.log_likelihood)
