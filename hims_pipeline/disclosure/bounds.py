"""Between which bounds what is not shown must lie: linear programs over the groups that hang together.

Sizes are never negative, and what stands in a table as withheld is no zero, since zeros are shown: so much anybody
knows. A few programs with objectives over many groups at once settle most of them, since every solution shows a possible
size of each; only groups that still look narrow get two programs of their own. Not here: what is exact (`determined`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from hims_pipeline.disclosure.linked import Equation

ROUNDS = 6  # programs over many groups at once, before each that still looks narrow has its own


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest size that a group can have; of wide ones two possible sizes that are far enough apart."""

    lower: float
    upper: float


def narrow(
    equations: Sequence[Equation],
    known: Mapping[int, float],
    hidden: set[int],
    least: Mapping[int, float],
    width: Mapping[int, float],
) -> dict[int, Bounds]:
    """Of groups that must stay open, those whose bounds are closer than they must be.

    Args:
        equations: sums that are zero, over groups.
        known: size of the groups that are shown.
        hidden: groups that are not.
        least: smallest size of a hidden group, where it is not zero.
        width: group that must stay open -> how far apart its bounds must be.
    """
    found: dict[int, Bounds] = {}
    for rows in _components(equations, hidden):
        usable = [at for at in rows if all(one in hidden or one in known for one in equations[at])]
        groups = sorted({one for at in usable for one in equations[at] if one in hidden})
        wanted = [one for one in groups if one in width]
        if wanted:
            found |= _component([equations[at] for at in usable], known, groups, least, width, wanted)
    return found


def _components(equations: Sequence[Equation], hidden: set[int]) -> list[list[int]]:
    parent: dict[int, int] = {}

    def root(one: int) -> int:
        while parent.setdefault(one, one) != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    firsts: dict[int, int] = {}
    for at, equation in enumerate(equations):
        hers = [one for one in equation if one in hidden]
        for one in hers:
            parent[root(one)] = root(hers[0])
        if hers:
            firsts[at] = hers[0]
    rows: dict[int, list[int]] = defaultdict(list)
    for at, first in firsts.items():
        rows[root(first)].append(at)
    return list(rows.values())


def _component(
    equations: Sequence[Equation],
    known: Mapping[int, float],
    groups: Sequence[int],
    least: Mapping[int, float],
    width: Mapping[int, float],
    wanted: Sequence[int],
) -> dict[int, Bounds]:
    column = {one: place for place, one in enumerate(groups)}
    entries = [(row, column[one], k) for row, eq in enumerate(equations) for one, k in eq.items() if one in column]
    rows, places, factors = (np.array(part) for part in zip(*entries, strict=True))
    matrix = csr_array((factors.astype(float), (rows, places)), shape=(len(equations), len(groups)))
    right = np.array([-sum(k * known[one] for one, k in eq.items() if one not in column) for eq in equations], float)
    bounds = [(least.get(one, 0.0), None) for one in groups]
    lower, upper = np.full(len(groups), np.inf), np.full(len(groups), -np.inf)
    ends = np.zeros((2, len(groups)), bool)  # lower, upper: it is the very end
    need = np.array([width.get(one, 0.0) for one in groups])
    draw = np.random.default_rng(len(groups))

    def solve(objective: np.ndarray) -> bool:
        """Whether there is a solution; its sizes widen what is known to be possible."""
        for cap in (None, 1e7):  # without an upper end the program has no solution: then far is far enough
            within = bounds if cap is None else [(low, cap) for low, _ in bounds]
            done = linprog(objective, A_eq=matrix, b_eq=right, bounds=within, method="highs")
            if done.status == 0:
                np.minimum(lower, done.x, out=lower)
                np.maximum(upper, done.x, out=upper)
                return True
        return False

    for turn in range(ROUNDS):
        open_ = (need > 0) & ~(upper - lower >= need)
        if not open_.any():
            return {}
        sign = 1.0 if turn % 2 else -1.0
        if not solve(np.where(open_, sign * draw.uniform(0.5, 1.5, len(groups)) * draw.choice([1, 1, 0.1], len(groups)), 0.0)):
            return {}  # what is known contradicts itself: nothing follows
    found = {}
    for one in wanted:
        at = column[one]
        for end, sign in enumerate((1.0, -1.0)):
            if upper[at] - lower[at] < need[at] and not ends[end, at]:
                objective = np.zeros(len(groups))
                objective[at] = sign
                solve(objective)
                ends[end, at] = True
        if upper[at] - lower[at] < need[at] - 1e-6:
            found[one] = Bounds(float(lower[at]), float(upper[at]))
    return found
