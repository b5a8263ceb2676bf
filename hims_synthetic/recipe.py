"""The recipe of the country, `data/samples/recipe/*.csv`, as plain values, and how totals are split into whole numbers.

Not here: the numbers of events that follow from it (`flows`), or any SQL.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hims_pipeline.errors import HimsError

Row = dict[str, str]
TABLES = (
    "ages",
    "border_posts",
    "border_trips",
    "choices",
    "consular_register",
    "consulates",
    "delegations",
    "education",
    "emigrants",
    "employers",
    "foreign_students",
    "governorates",
    "names",
    "nationalities",
    "periods",
    "places",
    "region_moves",
    "residence_cards",
    "spellings",
    "student_departures",
    "students_abroad",
    "titles",
    "work_authorisations",
)
OLDEST = 110


@dataclass(frozen=True)
class Recipe:
    """The rows of each table of the recipe, by its name."""

    tables: dict[str, list[Row]]

    def column(self, table: str, name: str) -> list[float]:
        return [float(row[name] or 0) for row in self.tables[table]]

    @property
    def governorates(self) -> list[str]:
        return [row["governorate"] for row in self.tables["governorates"]]

    @property
    def countries(self) -> list[str]:
        return [row["country"] for row in self.tables["nationalities"]]

    @property
    def delegations(self) -> list[str]:
        return [row["delegation"] for row in self.tables["delegations"]]

    def weights_by_age(self, name: str) -> list[float]:
        """A column of `ages` for each single year of age, 0 to `OLDEST`."""
        weights = [0.0] * (OLDEST + 1)
        for row in self.tables["ages"]:
            first, last = int(row["first_age"]), int(row["last_age"])
            weights[first : last + 1] = [float(row[name])] * (last - first + 1)
        return weights

    def choices(self, what: str, group: str) -> tuple[list[str], list[float]]:
        """Values and weights of one choice for one group, such as reasons of emigration of women."""
        rows = [row for row in self.tables["choices"] if row["what"] == what and group in row["group"]]
        return [row["value"] for row in rows], [float(row["weight"]) for row in rows]


def load_recipe(folder: Path) -> Recipe:
    """Read the recipe: the tables that the country is made from, and whatever the writers of sources keep beside them.

    Raises:
        HimsError: a table of the country is missing: this observatory has no recipe.
    """
    if missing := [name for name in TABLES if not (folder / f"{name}.csv").is_file()]:
        raise HimsError(
            f"data/samples/recipe has no {', '.join(missing)}: without a recipe there is no sample to make."
        )
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return Recipe(tables)


def largest_remainder(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers that add up to the total, each within one of its share; ties go to the first."""
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    shares = [total * weight / whole for weight in weights]
    counts = [int(share) for share in shares]
    by_remainder = sorted(range(len(weights)), key=lambda k: (counts[k] - shares[k], k))
    for k in by_remainder[: total - sum(counts)]:
        counts[k] += 1
    return counts


def spread(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers that add up to the total, such that each run of them is within one of its share.

    Unlike the largest remainder, many small shares do not all round to nothing.
    """
    whole = sum(weights)
    numbers, reached, before = [], 0.0, 0
    for weight in weights:
        reached += weight
        now = int(total * reached / whole + 0.5) if whole > 0 else 0
        numbers.append(now - before)
        before = now
    return numbers


def day(text: str) -> date:
    """A day that is written as `2024-12-31`."""
    return date.fromisoformat(text)
