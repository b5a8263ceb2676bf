"""How strongly two columns of a batch hang together, and how far one tells the other, for the profile
(`profile_joint`)."""

from typing import Any

import numpy as np
import pandas
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
LEAST_GROUP = 3  # rows of which two may agree against one


def code_groups(con: Any, groups: dict[str, str], names: list[str]) -> dict[str, tuple[IntArray, int]]:
    """Each column's groups as whole numbers in their order, -1 where a row has none, and how many there are."""
    asked = ", ".join(f"{groups[name]} as c{place}" for place, name in enumerate(names))
    columns = con.execute(f"select {asked} from _seen").fetchnumpy() if names else {}
    coded = {}
    for place, name in enumerate(names):
        column = columns[f"c{place}"]
        values = pandas.Series(np.ma.getdata(column), dtype=object).mask(np.ma.getmaskarray(column))
        codes, known = pandas.factorize(values, sort=True)
        coded[name] = codes.astype(np.int64), len(known)
    return coded


def measure_tie(one: tuple[IntArray, int], other: tuple[IntArray, int], most: int) -> tuple[float, int] | None:
    """Cramér's V of two columns over the `most` frequent values of the first, corrected for chance (Bergsma 2013), and
    the rows that hold a value of both; None where there is nothing to tie."""
    (left, left_groups), (right, right_groups) = one, other
    both = (left >= 0) & (right >= 0)
    places, cells = pandas.factorize(left[both] * right_groups + right[both])  # few of all that could be are there
    counts = np.bincount(places).astype(float)
    rows, columns = np.divmod(cells, max(right_groups, 1))
    tops = np.argsort(-np.bincount(rows, counts, left_groups), kind="stable")[:most]
    kept = np.isin(rows, tops)
    counts, rows, columns = counts[kept], rows[kept], columns[kept]
    by_row, by_column = np.bincount(rows, counts), np.bincount(columns, counts)
    a, b, n = np.count_nonzero(by_row), np.count_nonzero(by_column), counts.sum()
    if min(a, b) < 2:
        return None
    phi = (counts * counts / (by_row[rows] * by_column[columns])).sum() - 1
    corrected = max(0.0, float(phi) - (a - 1) * (b - 1) / max(n - 1, 1))
    return (corrected / (min(a, b) - 1)) ** 0.5, int(n)


def measure_telling(one: tuple[IntArray, int], other: tuple[IntArray, int]) -> tuple[float, int]:
    """How far the first column tells the second: of the rows that hold another value than its most frequent one, the
    share that is right more than wrong when each row is given the most frequent value of its group (Goodman and
    Kruskal's lambda, 1954), and how many those rows are. Groups of fewer than three rows take no part, and a value that
    a group holds once tells nothing, so that a file tells neither more by its many groups nor less by its few rows."""
    (left, left_groups), (right, right_groups) = one, other
    both = (left >= 0) & (right >= 0)
    places, cells = pandas.factorize(left[both] * right_groups + right[both])
    counts = np.bincount(places)
    rows, columns = np.divmod(cells, max(right_groups, 1))
    large = np.bincount(rows, counts, left_groups)[rows] >= LEAST_GROUP
    counts, rows, columns = counts[large], rows[large], columns[large]
    of_value = np.bincount(columns, counts, right_groups)
    if not counts.size or not (rest := int(counts.sum() - of_value.max())):
        return 0.0, 0
    counts[(counts == 1) & (columns != of_value.argmax())] = 0
    best = np.zeros(left_groups)
    np.maximum.at(best, rows, counts)
    return float((best.sum() - of_value.max()) / rest), rest
