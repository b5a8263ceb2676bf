"""Small linked tables made by hand, as figures: what is shown of them is attacked."""

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
