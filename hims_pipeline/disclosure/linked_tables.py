"""The linked tables that figures make up: groups of records, and the equations that hold between their sizes.

A figure shows the sizes of one or more groups: a total one, a share the counted, the whole and so the rest, a balance
both its sides. Groups are linked by margins over every dimension, by hierarchies of areas, by shares with their whole,
and across indicators wherever two of them count the same. Nothing of that is declared: whether a margin closes, and
whether two indicators count the same, is found in the numbers, as somebody who attacks the figures finds it.
Not here: what follows from what is shown (`elimination`, `bounds`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hims_pipeline.disclosure.figures import BALANCE, OTHER, SHARE, TOTAL, Cell, Figure
from hims_pipeline.disclosure.groups import CLOSE, Equation, Linked, RecordGroup
from hims_pipeline.disclosure.shared_groups import same_groups


class _Builder:
    def __init__(self, figures: Sequence[Figure], parents: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self.figures, self.parents = figures, parents
        self.number: dict[RecordGroup, int] = {}
        self.made = Linked()
        self.parts = _parts_of_shares(figures)

    def group(self, name: RecordGroup, records: float | None, weight: float | None) -> int:
        at = self.number.get(name)
        if at is None:
            at = self.number[name] = len(self.made.names)
            self.made.names.append(name)
            self.made.records.append(None)
            self.made.weights.append(None)
        if self.made.records[at] is None:
            self.made.records[at] = records
        if self.made.weights[at] is None:
            self.made.weights[at] = weight
        return at

    def build(self) -> Linked:
        balances = []
        for figure in self.figures:
            if figure.kind == BALANCE:
                balances.append((figure, len(self.made.shows)))
                self.made.shows.append(())
            else:
                self.made.shows.append(self._groups_shown_by(figure))
        for figure, at in balances:
            self.made.shows[at] = self._sides(figure)
        self.made.equations += self._margins()
        self.made.equations += same_groups(self.made, self.number)
        return self.made

    def _groups_shown_by(self, figure: Figure) -> tuple[int, ...]:
        context, concept = figure.context, figure.concept
        area = figure.former or figure.area
        # A figure that was shared out is a part of the former area's, whose own figure says how large that is.
        sizes = [(None, None)] * 3 if figure.former else sizes_shown_by(figure)
        if figure.kind == OTHER:
            return (self.group(RecordGroup(context, concept, "N", area, figure.cell), *sizes[0]),)
        counted = self.group(RecordGroup(context, concept, "C", area, figure.cell), *sizes[0])
        if figure.kind == TOTAL:
            return (counted,)
        parts = self.parts.get(concept, frozenset())
        cell = tuple(pair for pair in figure.cell if pair[0] not in parts)
        base = self.group(RecordGroup(context, concept, "B", area, cell), *sizes[1])
        other = "R" if figure.kind == SHARE else "N"
        rest = self.group(RecordGroup(context, concept, other, area, figure.cell), *sizes[2])
        self.made.equations.append({base: 1, counted: -1 if figure.kind == SHARE else 1, rest: -1})
        return (counted, base, rest)

    def _sides(self, figure: Figure) -> tuple[int, ...]:
        """Both sides of a balance, and all records of it."""
        indicator, dimension, plus, minus = figure.sides
        concept, sizes = (indicator, *figure.concept[1:]), sizes_shown_by(figure)
        cells = [tuple(sorted((*figure.cell, (dimension, code)))) for code in (plus, minus)]
        sides = [
            self.group(RecordGroup(figure.context, concept, "C", figure.area, cell), *size)
            for cell, size in zip(cells, sizes[:2], strict=True)
        ]
        whole = self.group(RecordGroup(figure.context, figure.concept, "N", figure.area, figure.cell), *sizes[2])
        self.made.equations.append({whole: 1, sides[0]: -1, sides[1]: -1})
        return (*sides, whole)

    def _margins(self) -> list[Equation]:
        """Sums of groups over one dimension, and over the areas of one hierarchy, that are another group."""
        below: dict[tuple[int, str], list[int]] = defaultdict(list)
        for name, at in list(self.number.items()):
            if name.part in ("C", "B") or (name.part == "N" and name.concept):
                for place, (dimension, _) in enumerate(name.cell):
                    above = self._find_above(name, name.cell[:place] + name.cell[place + 1 :], name.area, dimension)
                    if above is not None:
                        below[above, dimension].append(at)
                for hierarchy, area in self.parents.get(name.area, ()):
                    above = self._find_above(name, name.cell, area, "")
                    if above is not None:
                        below[above, hierarchy].append(at)
        return _closing(self.made, below)

    def _find_above(self, name: RecordGroup, cell: Cell, area: str, dimension: str) -> int | None:
        if name.part == "C" and dimension in self.parts.get(name.concept, frozenset()):
            parts = self.parts[name.concept]
            if any(one[0] in parts for one in cell):
                return None
            return self.number.get(name._replace(part="B", cell=cell, area=area))
        return self.number.get(name._replace(cell=cell, area=area))


def link_figures(figures: Sequence[Figure], parents: Mapping[str, Sequence[tuple[str, str]]]) -> Linked:
    """The groups that figures show, and every equation between them.

    Args:
        parents: area -> (hierarchy and level, area above it) of every area that it lies in.
    """
    return _Builder(figures, parents).build()


def sizes_shown_by(figure: Figure) -> list[tuple[float | None, float | None]]:
    """Records and weighted size of each group that a figure shows, in the order of `Linked.shows`."""
    if figure.kind == OTHER:
        return [(figure.records, None)]
    if figure.kind == BALANCE:
        sides: list[float | None] = [None, None]
        if figure.records is not None and figure.value is not None:
            sides = [(figure.records + sign * figure.value) / 2 for sign in (1, -1)]
        return [*((side, side) for side in sides), (figure.records, figure.records)]
    counted, base = (figure.counted, figure.above), (figure.base, figure.below)
    if figure.kind == TOTAL:
        return [counted]
    sign = -1 if figure.kind == SHARE else 1
    return [counted, base, (_add_sizes(base[0], counted[0], sign), _add_sizes(base[1], counted[1], sign))]


def _add_sizes(a: float | None, b: float | None, sign: int) -> float | None:
    return None if a is None or b is None else a + sign * b


def _parts_of_shares(figures: Iterable[Figure]) -> dict[tuple[str, str, str], frozenset[str]]:
    """Dimensions that only the numerator of a share is broken down by: along them the base stays the same."""
    bases: dict[tuple[Any, ...], set[float]] = defaultdict(set)
    many: dict[tuple[Any, ...], int] = defaultdict(int)
    for figure in figures:
        if figure.kind == SHARE and figure.below is not None:
            for pair in figure.cell:
                rest = tuple(one for one in figure.cell if one != pair)
                key = (figure.concept, pair[0], figure.context, figure.area, rest)
                bases[key].add(figure.below)
                many[key] += 1
    parts: dict[tuple[str, str, str], dict[str, bool]] = defaultdict(dict)
    for key, values in bases.items():
        if many[key] > 1:
            parts[key[0]][key[1]] = parts[key[0]].get(key[1], True) and len(values) == 1
    return {one: frozenset(name for name, is_part in dims.items() if is_part) for one, dims in parts.items()}


def _closing(made: Linked, below: Mapping[tuple[int, str], Sequence[int]]) -> list[Equation]:
    """The margins that hold. Where all sizes are known, by the sizes; else where all known ones of its kind hold."""
    known: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    equations, unsure = [], []
    for (above, dimension), parts in below.items():
        sizes = [made.records[one] for one in (above, *parts)]
        weights = [made.weights[one] for one in (above, *parts)]
        kind = (made.names[above].concept, made.names[above].part, dimension)
        left = _subtract_sizes(sizes) if None not in sizes else _subtract_sizes(weights)
        if left is None:
            unsure.append((kind, above, parts))
            continue
        known[kind].append(left == 0)
        equation = {above: 1} | dict.fromkeys(parts, -1)
        if left > 0:
            equation[_make_hidden(made, above, dimension, left)] = -1
        if left >= 0:
            equations.append(equation)
    for kind, above, parts in unsure:
        if all(known.get(kind, [True])):
            equations.append({above: 1} | dict.fromkeys(parts, -1))
    return equations


def _subtract_sizes(sizes: Sequence[float | None]) -> float | None:
    """What the first has more than the sum of the others."""
    if any(size is None for size in sizes):
        return None
    whole, total = sizes[0] or 0.0, sum(size or 0.0 for size in sizes[1:])
    left = whole - total
    return 0.0 if abs(left) <= CLOSE * max(abs(whole), 1.0) else left


def _make_hidden(made: Linked, above: int, dimension: str, left: float) -> int:
    """A group that stands in no figure: those whose code is unknown."""
    name = made.names[above]
    made.names.append(name._replace(part="U", cell=(*name.cell, (dimension, "_U"))))
    made.records.append(left)
    made.weights.append(None)
    return len(made.names) - 1
