"""Groups of records and the equations between their sizes: what all of disclosure control speaks of.

Not here: where they come from (`linked_tables`, `shared_groups`), and what follows from them (`elimination`, `bounds`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hims_pipeline.disclosure.figures import Cell

CLOSE = 1e-9  # relative: sizes that differ by less are the same


class RecordGroup(NamedTuple):
    """A group of records: `part` is C counted, B base, R the rest of a share, N all of a ratio or balance."""

    context: tuple[Any, ...]
    concept: tuple[str, str, str]
    part: str
    area: str
    cell: Cell


Equation = dict[int, int]  # group -> coefficient; their sum is zero


@dataclass
class Linked:
    """Groups by number, with what links them.

    Attributes:
        names: the groups.
        records: records of each; None where it is not known.
        weights: weighted size of each; None where it is not known.
        shows: figure -> groups whose sizes it gives away.
        equations: sums that are zero. A group that no figure shows takes part too, such as those of unknown sex.
    """

    names: list[RecordGroup] = field(default_factory=list)
    records: list[float | None] = field(default_factory=list)
    weights: list[float | None] = field(default_factory=list)
    shows: list[tuple[int, ...]] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)


def components(equations: Sequence[Equation]) -> list[list[Equation]]:
    """Equations by what hangs together: no group stands in two of them."""
    parent: dict[int, int] = {}

    def root(group: int) -> int:
        while parent.setdefault(group, group) != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    for equation in equations:
        first, *others = equation
        for group in others:
            parent[root(group)] = root(first)
    by_root: dict[int, list[Equation]] = defaultdict(list)
    for equation in equations:
        by_root[root(next(iter(equation)))].append(equation)
    return list(by_root.values())
