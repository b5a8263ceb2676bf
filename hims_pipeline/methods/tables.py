"""Somebody's own table as a method takes it: a CSV file with a header, its columns as numbers or as classes of a model.

Not here: deliveries, which are read by contract and judged (`readers`), or the methods.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hims_pipeline.errors import MethodError
from hims_pipeline.methods.likelihood import Array

LARGEST = 20_000_000  # bytes of a table: the methods keep it in memory many times over
CROSSED = ":"  # between columns whose classes are crossed


@dataclass(frozen=True)
class OwnTable:
    """Columns of text by name, all of one length; rows are those of the file, the header being line 1."""

    columns: dict[str, list[str]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def texts(self, name: str) -> list[str]:
        """A column, or several whose classes are crossed (`year:sex`).

        Raises:
            MethodError: no column of that name.
        """
        parts = name.split(CROSSED)
        if missing := [part for part in parts if part not in self.columns]:
            raise MethodError(f"the table has no column {missing[0]}: it has {', '.join(self.columns)}")
        return [" ".join(row) for row in zip(*(self.columns[part] for part in parts), strict=True)]

    def numbers(self, name: str) -> Array:
        """A column as numbers, shape (n,).

        Raises:
            MethodError: no such column, or a cell that is no number, by its line.
        """
        texts = self.texts(name)
        wrong = [line for line, text in enumerate(texts, start=2) if not _is_number(text)]
        if wrong:
            raise MethodError(f"column {name}, line {wrong[0]}: not a number ({len(wrong)} such cells)")
        return np.array([float(text) for text in texts])

    def design(self, classes: tuple[str, ...], numbers: tuple[str, ...] = ()) -> tuple[tuple[str, ...], Array]:
        """Columns of a model: a constant, for each class but the first of each column one that is 1 in it, and numbers.

        Returns:
            What the columns stand for, and the design, shape (n, p).

        Raises:
            MethodError: no such column, or a cell that is no number.
        """
        names, columns = ["(constant)"], [np.ones(len(self))]
        for name in classes:
            texts = self.texts(name)
            for level in sorted(set(texts))[1:]:
                names.append(f"{name}={level}")
                columns.append(np.array([float(text == level) for text in texts]))
        for name in numbers:
            names.append(name)
            columns.append(self.numbers(name))
        return tuple(names), np.stack(columns, axis=1)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def read_table(path: Path) -> OwnTable:
    """Read a table of UTF-8 text with a header line, delimited by commas.

    Raises:
        MethodError: not such a table: by line, never by what stands in it.
    """
    if path.stat().st_size > LARGEST:
        raise MethodError(f"a table has at most {LARGEST // 1_000_000} MB: sum up its rows first")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise MethodError("the table is no CSV file in UTF-8 whose quotes are closed: save it as one") from None
    if len(rows) < 2:
        raise MethodError("the table holds no row below its header")
    header = rows[0]
    if len(set(header)) < len(header) or not all(header):
        raise MethodError("the table's header has a column without a name, or a name twice")
    wrong = [line for line, row in enumerate(rows, start=1) if len(row) != len(header)]
    if wrong:
        raise MethodError(f"line {wrong[0]} of the table has not the {len(header)} columns of its header")
    return OwnTable({name: [row[at] for row in rows[1:]] for at, name in enumerate(header)})
