"""Groups of different indicators that are the same records, found in their sizes.

Not here: margins and hierarchies within one indicator (`linked_tables`).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from hims_pipeline.disclosure.groups import CLOSE, Equation, Linked, RecordGroup

FEW_CODES = 4  # a dimension of so many codes may be the condition of another indicator: women among emigrants
SURE = 0.5  # of the cells that two indicators share, the part that must agree before they count the same


def same_groups(made: Linked, number: Mapping[RecordGroup, int]) -> list[Equation]:
    """Equations between groups of different indicators that are the same records.

    Two concepts count the same where at least two cells that both have agree, and half of all; a condition of one may
    be a cell of the other (women among emigrants are the emigrants who are women).
    """
    places = _places(number)
    agree: dict[tuple[Any, Any], list[tuple[int, int]]] = defaultdict(list)
    shared: dict[tuple[Any, Any], int] = defaultdict(int)
    unknown: dict[tuple[Any, Any], list[tuple[int, int]]] = defaultdict(list)
    for there in places.values():
        for place, (label, one) in enumerate(there):
            for other_label, other in there[place + 1 :]:
                if one == other or label[0] == other_label[0] or (label[2] and other_label[2]):
                    continue
                pair = (label, other_label) if label <= other_label else (other_label, label)
                same = _agree(made, one, other)
                if same is None:
                    unknown[pair].append((one, other))
                else:
                    shared[pair] += 1
                    if same:
                        agree[pair].append((one, other))
    equations: list[Equation] = []
    for pair, cells in agree.items():
        if len(cells) >= SURE * shared[pair] and (len(cells) > 1 or _is_large(made, cells[0][0])):
            equations += [{one: 1, other: -1} for one, other in cells]
            if len(cells) == shared[pair]:
                equations += [{one: 1, other: -1} for one, other in unknown[pair]]
    return equations


def _places(number: Mapping[RecordGroup, int]) -> dict[tuple[Any, ...], list[tuple[Any, int]]]:
    """Cell -> the groups that may be about it, each with the concept that it would be one cell of."""
    codes: dict[tuple[Any, str], set[str]] = defaultdict(set)
    for name in number:
        for dimension, code in name.cell:
            codes[name.concept, dimension].add(code)
    places: dict[tuple[Any, ...], list[tuple[Any, int]]] = defaultdict(list)
    for name, at in number.items():
        whole = (name.concept, name.part, "", "")
        places[name.context, name.area, name.cell].append((whole, at))
        for place, (dimension, code) in enumerate(name.cell):
            if len(codes[name.concept, dimension]) <= FEW_CODES:
                rest = name.cell[:place] + name.cell[place + 1 :]
                places[name.context, name.area, rest].append(((name.concept, name.part, dimension, code), at))
    return places


def _agree(made: Linked, group: int, other: int) -> bool | None:
    """Whether two groups have the same sizes; None where that is not known."""
    pairs = [(made.records[group], made.records[other]), (made.weights[group], made.weights[other])]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not known:
        return None
    return all(abs(a - b) <= CLOSE * max(abs(a), abs(b)) for a, b in known) and any(a for a, _ in known)


def _is_large(made: Linked, group: int) -> bool:
    return max(made.records[group] or 0, made.weights[group] or 0) >= 100
