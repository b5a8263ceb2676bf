"""Between which bounds what is not shown must lie: linear programs over the groups that hang together.

Sizes are never negative, and what stands in a table as withheld is no zero, since zeros are shown: so much anybody
knows. A few programs with objectives over many groups at once settle most of them, since every solution shows a
possible size of each; only groups that still look narrow get two programs of their own.
Not here: what is exact (`elimination`).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import inf, isinf

import numpy as np
from highspy import Highs, HighsLp, HighsModelStatus, MatrixFormat

from hims_pipeline.disclosure.groups import Equation

NEAR = 1e-6
FAR = 1e7  # what stands for "without end" where a program has no end
ROUNDS = 4  # programs over many groups at once, which give the point that exchanges begin from
RINGS = 2  # of groups around one that may move with it
FEW = 10  # groups for which no program over all is worth while
GAIN = 0.05  # of the open groups, that such a program must settle for another to be tried
PASSES = 8  # over the equations of a component, each passing bounds on to the next
Ends = dict[int, tuple[float, float]]


def find_narrow(
    equations: Sequence[Equation],
    known: Mapping[int, float],
    hidden: set[int],
    least: Mapping[int, float],
    width: Mapping[int, float],
    true_sizes: Mapping[int, float] | None = None,
    settled: set[int] | None = None,
) -> Ends:
    """Of groups that must stay open, those whose bounds are closer than they must be, each with its bounds.

    Args:
        equations: sums that are zero, over groups.
        known: size of the groups that are shown.
        hidden: groups that are not.
        least: smallest size of a hidden group, where it is not zero.
        width: group that must stay open -> how far apart its bounds must be.
        true_sizes: sizes of hidden groups where they are known to who asks, which spares most programs; it is then
            enough to find some of the narrow groups: who asks asks again.
        settled: groups that were found wide enough, to which those found now are added. Where more is hidden than
            before they stay so, since every solution of before is one still.
    """
    narrowed, settled = Ends(), set() if settled is None else settled
    for rows in _components(equations, hidden):
        usable = [equations[at] for at in rows if all(one in hidden or one in known for one in equations[at])]
        groups = sorted({one for equation in usable for one in equation if one in hidden})
        wanted = {group: width[group] for group in groups if group in width and group not in settled}
        if not wanted:
            continue
        passed_on = _propagate_bounds(usable, known, least, groups)
        close = {one: passed_on[one] for one in wanted if passed_on[one][1] - passed_on[one][0] < wanted[one] - NEAR}
        if close and true_sizes is not None:
            narrowed |= close
            continue
        program = _Program(usable, known, least)
        point = (
            true_sizes
            if true_sizes is not None and all(group in true_sizes for group in groups)
            else program.point(wanted)
        )
        if point is None:
            continue  # what is known contradicts itself: nothing follows
        wide = _exchange(usable, point, least, set(groups))
        near = _Nearby(usable, point, least, set(groups))
        left = {one: need for one, need in wanted.items() if wide[one] < need}
        for one, need in near.shake(program, left).items():
            if near.is_wide(one, need):
                continue
            ends = program.ends(one)
            if ends[1] - ends[0] < wanted[one] - NEAR:
                narrowed[one] = ends
        settled |= wanted.keys() - narrowed.keys()
    return narrowed


def _propagate_bounds(
    equations: Sequence[Equation], known: Mapping[int, float], least: Mapping[int, float], groups: Sequence[int]
) -> Ends:
    """Bounds that follow from one equation at a time; the true ones lie within."""
    low = {group: least.get(group, 0.0) for group in groups}
    high = dict.fromkeys(groups, inf)
    rows = [
        (
            [(one, k) for one, k in equation.items() if one in high],
            -sum(k * known[one] for one, k in equation.items() if one not in high),
        )
        for equation in equations
    ]
    for _ in range(PASSES):
        changed = False
        for hers, right in rows:
            below = _sums_of_others([min(k * low[one], k * high[one]) for one, k in hers])
            above = _sums_of_others([max(k * low[one], k * high[one]) for one, k in hers])
            for (one, k), least_rest, most_rest in zip(hers, below, above, strict=True):
                first, second = (right - least_rest) / k, (right - most_rest) / k
                if first > second:
                    first, second = second, first
                if first > low[one] + NEAR or second < high[one] - NEAR:
                    low[one], high[one] = max(low[one], first), min(high[one], second)
                    changed = True
        if not changed:
            break
    return {group: (low[group], high[group]) for group in groups}


def _sums_of_others(sizes: Sequence[float]) -> list[float]:
    """Of each size the sum of all the others; those without end are all of one sign."""
    endless = [size for size in sizes if isinf(size)]
    if len(endless) > 1:
        return [endless[0]] * len(sizes)
    total = sum(size for size in sizes if not isinf(size))
    return [total if isinf(size) else endless[0] if endless else total - size for size in sizes]


def _exchange(
    equations: Sequence[Equation], point: Mapping[int, float], least: Mapping[int, float], hidden: set[int]
) -> dict[int, float]:
    """How far apart two sizes of a group surely can be: what it gains, groups lose that stand in one equation alone."""
    times = Counter(one for equation in equations for one in equation if one in hidden)
    up, down = dict.fromkeys(hidden, inf), dict.fromkeys(hidden, inf)
    for equation in equations:
        own = [(one, k) for one, k in equation.items() if one in hidden and times[one] == 1]
        for one, k in equation.items():
            if one in hidden:
                others = [(other, factor * k) for other, factor in own if other != one]
                falls = [point[other] - least.get(other, 0.0) for other, _ in others]
                same = sum(fall * abs(factor) for fall, (_, factor) in zip(falls, others, strict=True) if factor > 0)
                against = sum(fall * abs(factor) for fall, (_, factor) in zip(falls, others, strict=True) if factor < 0)
                rises = {factor > 0 for _, factor in others}
                up[one] = min(up[one], (inf if False in rises else same) / (k * k))
                down[one] = min(down[one], (inf if True in rises else against) / (k * k))
    return {one: up[one] + min(down[one], point[one] - least.get(one, 0.0)) for one in hidden}


class _Nearby:
    """Whether a group can be wide while all but those near it stay as they are, which is soon found out."""

    def __init__(
        self, equations: Sequence[Equation], point: Mapping[int, float], least: Mapping[int, float], hidden: set[int]
    ) -> None:
        self.equations, self.point, self.least, self.hidden = equations, point, least, hidden
        self.seen: Ends = {}
        self.solver = Highs()  # type: ignore[no-untyped-call]
        self.of: dict[int, list[int]] = defaultdict(list)
        for at, equation in enumerate(equations):
            for one in equation:
                if one in hidden:
                    self.of[one].append(at)

    def shake(self, program: "_Program", open_: Mapping[int, float]) -> dict[int, float]:
        """Which groups are still open after programs that pull many of them at once, up or down, as chance has it."""
        left = dict(open_)
        draw = np.random.default_rng(len(left))
        while len(left) > FEW:
            objective = np.zeros(len(program.groups))
            objective[[program.column[one] for one in left]] = draw.choice([-1.0, 0.0, 1.0], len(left))
            if (solution := program.solve(objective)) is None:
                return left
            self._note(
                program, [size - self.point[one] for one, size in zip(program.groups, solution.tolist(), strict=True)]
            )
            now = {one: need for one, need in left.items() if self._reach(one) < need}
            if len(now) > (1 - GAIN) * len(left):
                return now
            left = now
        return left

    def _note(self, program: "_Program", moves: Sequence[float]) -> None:
        for one, move in zip(program.groups, moves, strict=True):
            low, high = self.seen.get(one, (0.0, 0.0))
            self.seen[one] = (min(low, move), max(high, move))

    def is_wide(self, group: int, need: float) -> bool:
        """Every solution is a move of all that are near, so that one program often settles many groups."""
        free = {group}
        for _ in range(RINGS):
            free = {
                other for one in free for at in self.of[one] for other in self.equations[at] if other in self.hidden
            }
            rows = sorted({at for one in free for at in self.of[one]})
            # Moves away from the point: what is known, and what stays, falls out of the equations.
            moves = _Program(
                [{one: k for one, k in self.equations[at].items() if one in free} for at in rows], {},
                {one: min(0.0, self.least.get(one, 0.0) - self.point[one]) for one in free},
                self.solver,
            )  # fmt: skip
            for sign in (-1.0, 1.0):
                if self._reach(group) >= need:
                    return True
                objective = np.full(len(moves.groups), sign / len(moves.groups) / 10)
                objective[moves.column[group]] = sign
                if (solution := moves.solve(objective)) is not None:
                    self._note(moves, solution.tolist())
        return self._reach(group) >= need

    def _reach(self, group: int) -> float:
        low, high = self.seen.get(group, (0.0, 0.0))
        return high - low


class _Program:
    """A linear program. The solver keeps it, so each objective begins where the last one ended; given to the next
    program, it forgets this one."""

    def __init__(
        self,
        equations: Sequence[Equation],
        known: Mapping[int, float],
        least: Mapping[int, float],
        solver: Highs | None = None,
    ) -> None:
        groups = sorted({one for equation in equations for one in equation if one not in known})
        self.groups, self.column = groups, {one: place for place, one in enumerate(groups)}
        starts, places, factors, right = [0], list[int](), list[float](), list[float]()
        for equation in equations:
            rest = 0.0
            for one, k in equation.items():
                if (place := self.column.get(one)) is None:
                    rest -= k * known[one]
                else:
                    places.append(place)
                    factors.append(k)
            starts.append(len(places))
            right.append(rest)
        program = HighsLp()
        program.num_col_, program.num_row_ = len(groups), len(equations)
        program.col_cost_ = np.zeros(len(groups))
        program.col_lower_, program.col_upper_ = [least.get(one, 0.0) for one in groups], np.full(len(groups), inf)
        program.row_lower_ = program.row_upper_ = right
        matrix = program.a_matrix_
        matrix.format_, matrix.num_col_, matrix.num_row_ = MatrixFormat.kRowwise, len(groups), len(equations)
        matrix.start_, matrix.index_, matrix.value_ = starts, places, factors
        self.lower, self.columns = np.array(program.col_lower_), np.arange(len(groups), dtype=np.int32)
        self.solver = solver or Highs()  # type: ignore[no-untyped-call]
        self.solver.silent()
        self.solver.passModel(program)

    def solve(self, objective: np.ndarray) -> np.ndarray | None:
        """Sizes at which the objective is smallest; without a lower end of it, far out."""
        self.solver.changeColsCost(len(self.groups), self.columns, objective)
        for cap in (inf, FAR):
            if cap == FAR:
                self._set_cap(cap)
            self.solver.run()
            optimal = self.solver.getModelStatus() == HighsModelStatus.kOptimal
            solution = np.array(self.solver.getSolution().col_value) if optimal else None
            if cap == FAR:
                self._set_cap(inf)
            if optimal:
                return solution
        return None

    def _set_cap(self, size: float) -> None:
        self.solver.changeColsBounds(len(self.groups), self.columns, self.lower, np.full(len(self.groups), size))

    def point(self, wanted: Mapping[int, float]) -> dict[int, float] | None:
        """Possible sizes of all groups, away from the ends where they can be."""
        draw = np.random.default_rng(len(self.groups))
        solutions = []
        for turn in range(ROUNDS):
            objective = np.zeros(len(self.groups))
            objective[[self.column[one] for one in wanted]] = draw.uniform(0.5, 1.5, len(wanted)) * (1 - 2 * (turn % 2))
            if (solution := self.solve(objective)) is None:
                return None
            solutions.append(np.minimum(solution, FAR))
        return dict(zip(self.groups, np.mean(solutions, axis=0).tolist(), strict=True))

    def ends(self, group: int) -> tuple[float, float]:
        """The bounds of one group."""
        both_ends = []
        for sign in (1.0, -1.0):
            objective = np.zeros(len(self.groups))
            objective[self.column[group]] = sign
            solution = self.solve(objective)
            both_ends.append(-sign * inf if solution is None else float(solution[self.column[group]]))
        return both_ends[0], both_ends[1]


def _components(equations: Sequence[Equation], hidden: set[int]) -> list[list[int]]:
    parent: dict[int, int] = {}

    def root(group: int) -> int:
        while parent.setdefault(group, group) != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    firsts: dict[int, int] = {}
    for at, equation in enumerate(equations):
        hers = [node for node in equation if node in hidden]
        for node in hers:
            parent[root(node)] = root(hers[0])
        if hers:
            firsts[at] = hers[0]
    rows: dict[int, list[int]] = defaultdict(list)
    for at, first in firsts.items():
        rows[root(first)].append(at)
    return list(rows.values())
