"""Moves between governorates as a matrix of whole numbers: margins first, then the cells that fit them.

Not here: why a governorate gains or loses (`flows`).
"""

from hims_synthetic.recipe import Recipe, Row, spread

ROUNDS = 60  # of fitting to the margins; they meet to far less than one person
NEAR = 3.0  # how much more often one moves within a region than beyond it, at like sizes


def moves_between(
    recipe: Recipe, row: Row, scale: float, persons: list[int], net: list[int], total: int
) -> dict[tuple[int, int], int]:
    """Moves by place in the list of governorates left and reached; they add up to `total`.

    Each governorate gains about `net`; where regions' moves in and out are published for the period, those hold.
    """
    regions = [place["region"] for place in recipe.tables["governorates"]]
    base = [total * person / sum(persons) for person in persons]
    base = [max(one, abs(gain) * 0.75) for one, gain in zip(base, net, strict=True)]
    reached = [one + gain / 2 for one, gain in zip(base, net, strict=True)]
    left = [one - gain / 2 for one, gain in zip(base, net, strict=True)]
    reached, left = _to_total(reached, total), _to_total(left, total)
    year = row["to_date"][:4]
    published = [table for table in recipe.tables["region_moves"] if table["year"] == year]
    if published:
        reached = _to_regions(
            reached, regions, {one["region"]: float(one["moved_in"]) * scale for one in published}, total
        )
        left = _to_regions(left, regions, {one["region"]: float(one["moved_out"]) * scale for one in published}, total)
    cells = _fit_matrix(persons, regions, reached, left)
    keys = sorted(cells)
    return dict(zip(keys, spread(total, [cells[key] for key in keys]), strict=True))


def _to_total(values: list[float], total: float) -> list[float]:
    return [value * total / sum(values) for value in values]


def _to_regions(values: list[float], regions: list[str], published: dict[str, float], total: float) -> list[float]:
    """The values of each region brought to its published sum, the others to what is left of the total."""
    rest = total - sum(published.values())
    scaled_values = list(values)
    for region in set(regions):
        members = [k for k, one in enumerate(regions) if one == region]
        if region in published:
            whole = sum(values[k] for k in members)
            for k in members:
                scaled_values[k] = values[k] * published[region] / whole
    others = [k for k, one in enumerate(regions) if one not in published]
    whole = sum(values[k] for k in others)
    for k in others:
        scaled_values[k] = values[k] * rest / whole
    return scaled_values


def _fit_matrix(
    persons: list[int], regions: list[str], reached: list[float], left: list[float]
) -> dict[tuple[int, int], float]:
    """Iterative proportional fitting of a gravity matrix without diagonal to both margins."""
    places = range(len(persons))
    cells = {
        (a, b): float(max(persons[a], 1) * max(persons[b], 1)) * (NEAR if regions[a] == regions[b] else 1.0)
        for a in places
        for b in places
        if a != b
    }
    for _ in range(ROUNDS):
        for a in places:
            whole = sum(cells[a, b] for b in places if a != b)
            for b in places:
                if a != b:
                    cells[a, b] *= left[a] / whole
        for b in places:
            whole = sum(cells[a, b] for a in places if a != b)
            for a in places:
                if a != b:
                    cells[a, b] *= reached[b] / whole
    return cells
