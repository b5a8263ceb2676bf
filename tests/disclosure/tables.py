"""Small linked tables, made by hand or drawn, as figures: what is shown of them is attacked."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

from hims_pipeline.disclosure.figures import SHARE, TOTAL, Figure
from hims_pipeline.disclosure.protect import protect

PARENTS = {"N1": [("province", "R1"), ("province", "XNL")], "N2": [("province", "R1"), ("province", "XNL")],
           "N3": [("province", "R2"), ("province", "XNL")], "N4": [("province", "R2"), ("province", "XNL")],
           "R1": [("region", "XNL")], "R2": [("region", "XNL")]}  # fmt: skip
PERIOD = ("census", "real", "_Z", "A", "2024", "2024-01-01", "2024-12-31")


def total(indicator: str, records: int, area: str = "XNL", **cell: str) -> Figure:
    """A count of records."""
    return _figure(indicator, TOTAL, area, cell, records, None)


def share(indicator: str, counted: int, base: int, area: str = "XNL", **cell: str) -> Figure:
    """A share of records."""
    return _figure(indicator, SHARE, area, cell, counted, base)


def draw_census(chance: random.Random) -> list[Figure]:
    """Residents by area, sex and age: many in two cells by area and sex, few or none in the others; and a share."""
    towns = {"N1": ("N1",), "N2": ("N2",), "N3": ("N3",), "N4": ("N4",), "R1": ("N1", "N2"), "R2": ("N3", "N4"),
             "XNL": ("N1", "N2", "N3", "N4")}  # fmt: skip
    sexes, ages = {"M": "M", "F": "F", "": "MF"}, {"Y0": ("Y0",), "Y1": ("Y1",), "": ("Y0", "Y1", "Y2")}
    pairs = list(itertools.product(towns["XNL"], "MF"))
    large = chance.sample(pairs, 2)
    drawn = {
        (*pair, age): int(chance.expovariate(1 / (80 if pair in large else 1.2))) for pair in pairs for age in ages
    }
    drawn |= {(*pair, "Y2"): drawn.pop((*pair, "")) for pair in pairs}

    def count(area: str, sex: str, age: str) -> int:
        return sum(drawn[one] for one in itertools.product(towns[area], sexes[sex], ages[age]))

    cells = itertools.product(towns, sexes, ages)
    counts = [
        total("A02", count(*cell), cell[0], **{k: v for k, v in zip(("sex", "age"), cell[1:], strict=True) if v})
        for cell in cells
    ]
    return counts + [
        share("C03", count(area, "F", ""), whole, area) for area in towns if (whole := count(area, "", ""))
    ]


def _figure(indicator: str, kind: str, area: str, cell: dict[str, str], counted: int, base: int | None) -> Figure:
    pairs = tuple(sorted(cell.items()))
    value = counted if base is None else 100 * counted / base
    return Figure(
        (f"{indicator}.{area}.{pairs}", "2024", "_Z"), PERIOD, (indicator, "residents", "12M"), kind, (), area, pairs,
        "",         counted, base, counted, counted, base, value, 10, shown=True,
    )  # fmt: skip


def public(figures: Sequence[Figure], withheld: Sequence[int] | dict[int, str]) -> list[Figure]:
    """What a stranger sees: of a share no records behind its base, of what is withheld nothing."""
    return [
        replace(one, counted=None, base=None, records=None, above=None, below=None, value=None, shown=False)
        if at in withheld
        else replace(one, base=None)
        for at, one in enumerate(figures)
    ]


def by_count(figures: Sequence[Figure]) -> list[int]:
    """What a rule on each figure's own records alone would withhold."""
    return [at for at, one in enumerate(figures) if 0 < (one.counted or 0) < one.minimum]


def protected(figures: Sequence[Figure], history=()) -> list[Figure]:
    return public(figures, protect(figures, PARENTS, history).rules)
