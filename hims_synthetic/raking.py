"""Weights that add up to published totals: raking over the margins that a recipe lists, and totals at any scale."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hims_synthetic.recipe import largest_remainder

ROUNDS = 200
UNIT = 10_000  # weights have four digits after the point, so that their sums are exact


def scale_parts(parts: Mapping[str, float], scale: float) -> dict[str, int]:
    """Whole numbers that add up to round(total * scale), each part as near to its own as can be (largest remainder)."""
    return dict(zip(parts, largest_remainder(round(sum(parts.values()) * scale), list(parts.values())), strict=True))


def rake(categories: Mapping[str, Any], targets: Mapping[str, Mapping[str, float]], start: Any) -> Any:
    """Weights whose sums are the targets: the first variable's to the last digit, the others' to within rounding.

    Args:
        categories: variable -> the category of each record.
        targets: variable -> category -> persons; all variables have the same sum. What stands in a category without
            a record goes to the others of its variable.
        start: a weight for each record, above zero.
    """
    weights = np.asarray(start, dtype=float)
    plan = [_groups(np.asarray(categories[name]), wanted) for name, wanted in targets.items()]
    for _ in range(ROUNDS):
        before = weights.copy()
        for index, wanted in plan:
            sums = np.bincount(index, weights, minlength=len(wanted))
            weights = weights * (wanted / np.where(sums > 0, sums, 1))[index]
        if np.abs(weights / before - 1).max() < 1e-10:
            break
    return _round_exactly(weights, *plan[0])


def _groups(values: Any, targets: Mapping[str, float]) -> tuple[Any, Any]:
    names, index = np.unique(values, return_inverse=True)
    wanted = np.array([targets[str(name)] for name in names], dtype=float)
    return index, wanted * (sum(targets.values()) / wanted.sum())


def _round_exactly(weights: Any, index: Any, wanted: Any) -> Any:
    """Rounded to a unit, what that leaves over in a category is put on its first records."""
    units = np.maximum(np.rint(weights * UNIT).astype(np.int64), 1)
    for category, total in enumerate(np.rint(wanted * UNIT).astype(np.int64)):
        members = np.flatnonzero(index == category)
        left = int(total - units[members].sum())
        units[members] += left // len(members)
        units[members[: left % len(members)]] += 1
    return units / UNIT
