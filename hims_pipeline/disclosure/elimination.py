"""What follows exactly from what is shown: Gaussian elimination over the groups that are not.

Only which sizes are known matters here, not what they are. Equations with one unknown give it. An equation with an
unknown of its own is laid aside, since it says nothing about the others; what is left is a core that is eliminated as a
dense matrix over the integers modulo a prime, component by component. At the end each equation laid aside is reduced by
all behind it: where nothing but its own unknown is left, that can be computed. Not here: intervals (`bounds`).
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hims_pipeline.disclosure.groups import Equation

PRIME = 2_147_483_629  # below 2^31, so that products stay within 64 bits
LARGEST_CORE = 6000  # unknowns of one component that are eliminated as a dense matrix


def determine(equations: Sequence[Equation], hidden: Iterable[int]) -> dict[int, Equation]:
    """Which hidden groups can be computed from those that are not, each with the equation that gives it: all its other
    groups are known, or can be computed too.

    Args:
        equations: sums that are zero, over groups.
        hidden: groups whose sizes are not shown.

    Raises:
        OverflowError: more groups hang together than can be eliminated at once.
    """
    unknown = set(hidden)
    determined: dict[int, Equation] = {}
    by_group: dict[int, list[int]] = defaultdict(list)
    left: dict[int, set[int]] = {}
    for at, equation in enumerate(equations):
        hers = {one for one in equation if one in unknown}
        if hers:
            left[at] = hers
            for one in hers:
                by_group[one].append(at)
    _propagate(equations, left, by_group, determined)
    aside = _peel(left, by_group)
    rows: dict[int, Equation] = {}
    for component in _components(left, by_group):
        rows |= _eliminate(equations, left, component)
    open_ = unknown - determined.keys()
    for one, row in rows.items():
        if all(other == one or other not in open_ for other in row):
            determined[one] = row
    return determined | _follow_back(equations, aside, rows, open_)


def _propagate(
    equations: Sequence[Equation],
    left: dict[int, set[int]],
    by_group: dict[int, list[int]],
    determined: dict[int, Equation],
) -> None:
    """Equations with one unknown, until there is none."""
    todo = [at for at, hers in left.items() if len(hers) == 1]
    while todo:
        at = todo.pop()
        hers = left.get(at)
        if hers is None or len(hers) != 1:
            continue
        unknown = next(iter(hers))
        determined[unknown] = equations[at]
        for other in by_group[unknown]:
            if other in left:
                left[other].discard(unknown)
                if not left[other]:
                    del left[other]
                elif len(left[other]) == 1:
                    todo.append(other)


def _peel(left: dict[int, set[int]], by_group: dict[int, list[int]]) -> list[tuple[int, int, bool]]:
    """Lay aside every equation that has an unknown of its own; returns both in order, and whether it is the only one:
    of two of its own it gives neither."""
    count = {unknown: sum(unknown in left.get(at, ()) for at in places) for unknown, places in by_group.items()}
    todo = [group for group, times in count.items() if times == 1]
    aside = []
    while todo:
        unknown = todo.pop()
        if count[unknown] != 1:
            continue
        at = next(place for place in by_group[unknown] if unknown in left.get(place, ()))
        hers = left.pop(at)
        aside.append((at, unknown, sum(count[other] == 1 for other in hers) == 1))
        for other in hers:
            count[other] -= 1
            if count[other] == 1:
                todo.append(other)
    return aside


def _components(left: dict[int, set[int]], by_group: dict[int, list[int]]) -> list[list[int]]:
    """Equations that share unknowns, directly or by others."""
    seen: set[int] = set()
    components = []
    for start in left:
        if start in seen:
            continue
        seen.add(start)
        component, todo = [], [start]
        while todo:
            at = todo.pop()
            component.append(at)
            for one in left[at]:
                for other in by_group[one]:
                    if other in left and other not in seen:
                        seen.add(other)
                        todo.append(other)
        components.append(sorted(component))
    return components


def _eliminate(equations: Sequence[Equation], left: dict[int, set[int]], component: list[int]) -> dict[int, Equation]:
    """The reduced rows of a component, by the unknown that each begins with."""
    unknown = sorted(set().union(*(left[at] for at in component)))
    if len(unknown) > LARGEST_CORE:
        raise OverflowError(f"{len(unknown)} groups hang together: more than are eliminated at once")
    column = {one: place for place, one in enumerate(unknown)}
    matrix = np.zeros((len(component), len(unknown) + len(component)), dtype=np.int64)
    for row, at in enumerate(component):
        for one in left[at]:
            matrix[row, column[one]] = equations[at][one] % PRIME
        matrix[row, len(unknown) + row] = 1
    reduced = {}
    for row, place in enumerate(_reduce(matrix, len(unknown))):
        used = np.nonzero(matrix[row, len(unknown) :])[0]
        reduced[unknown[place]] = _combine(
            equations, [component[one] for one in used], matrix[row, len(unknown) :][used]
        )
    return reduced


def _reduce(matrix: np.ndarray, width: int) -> list[int]:
    """Bring the first columns of a matrix into reduced echelon form modulo the prime; returns the pivots' columns."""
    pivots: list[int] = []
    row = 0
    for place in range(width):
        candidates = np.nonzero(matrix[row:, place])[0]
        if not len(candidates):
            continue
        best = row + int(candidates[0])
        if best != row:
            matrix[[row, best]] = matrix[[best, row]]
        inverse = pow(int(matrix[row, place]), -1, PRIME)
        used = np.nonzero(matrix[row])[0]
        matrix[row, used] = matrix[row, used] * inverse % PRIME
        others = np.nonzero(matrix[:, place])[0]
        others = others[others != row]
        if len(others):
            factors = matrix[others, place]
            block = np.ix_(others, used)
            matrix[block] = (matrix[block] - factors[:, None] * matrix[row, used][None, :]) % PRIME
        pivots.append(place)
        row += 1
        if row == len(matrix):
            break
    return pivots


def _combine(equations: Sequence[Equation], used: Sequence[int], factors: np.ndarray) -> Equation:
    """A combination of equations, modulo the prime: which groups take part is what matters."""
    total: dict[int, int] = defaultdict(int)
    for at, factor in zip(used, factors, strict=True):
        for one, coefficient in equations[at].items():
            total[one] = (total[one] + int(factor) * coefficient) % PRIME
    return {one: coefficient for one, coefficient in total.items() if coefficient}


def _follow_back(
    equations: Sequence[Equation], aside: list[tuple[int, int, bool]], rows: Mapping[int, Equation], open_: set[int]
) -> dict[int, Equation]:
    """The unknowns that equations laid aside give, once they are reduced by those laid aside later and by the core."""
    turn = {one: place for place, (_, one, _) in enumerate(aside)} | dict.fromkeys(rows, len(aside))
    traced = {}
    for place, (at, one, is_only) in enumerate(aside):
        if not is_only:
            continue
        vector = {group: factor % PRIME for group, factor in equations[at].items()}
        todo = [(turn[group], group) for group in vector if group != one and group in turn and group in open_]
        heapq.heapify(todo)
        while todo:
            when, group = heapq.heappop(todo)
            if when <= place or not vector.get(group):
                continue
            row = rows[group] if group in rows else equations[aside[when][0]]
            factor = vector[group] * pow(row[group], -1, PRIME) % PRIME
            for other, coefficient in row.items():
                before = other in vector
                vector[other] = (vector.get(other, 0) - factor * coefficient) % PRIME
                if not vector[other]:
                    del vector[other]
                elif not before and other in turn and other in open_:
                    heapq.heappush(todo, (turn[other], other))
        if not any(group in open_ for group in vector if group != one):
            traced[one] = vector
    return traced
