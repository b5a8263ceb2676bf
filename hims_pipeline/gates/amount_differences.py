"""What amounts and weights of a profile say beside an accepted batch's. Not here: other columns (`differences`)."""

from collections.abc import Iterator
from math import log, sqrt

from hims_pipeline.gates.evidence import FEW, Counts, Evidence, Subject
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.statistics import difference_of_shares


def compare_amounts(name: str, role: str, now: Subject, before: Subject, years: float) -> Iterator[Evidence]:
    """Middle, sum, largest and spread of one column of amounts or weights, and a sum to date that fell."""
    if role not in ("amount", "weight"):
        return
    new, old = now.profile, before.profile
    counts = [one.number("amount", name, "count") or 0 for one in (new, old)]
    noise = 4 * 1.25 * sqrt(1 / counts[0] + 1 / counts[1]) if all(counts) and now.roles.counts_rows else 0.0
    noise *= max((_width(one, name) for one in (new, old)), default=1.0)
    if role == "weight":
        spreads = [spread_of(one, name) for one in (new, old)]
        if all(spreads) and not before.is_scaled:
            yield Evidence("spread", name, abs(log(spreads[0] / spreads[1])))  # type: ignore[operator]
        elif spreads[0] == 0 and (spreads[1] or 0) > 0.1:
            yield Evidence("spread", name, 10.0)
        yield Evidence("weights_by_area", name, _most_reweighed(now, before), "no area to tell")
    if now.roles.counts_rows and now.roles.first_column("currency"):
        displaced = _most_displaced(*(one.counts("amount_levels", name) for one in (new, old)))
        yield Evidence("amount_levels", name, None if displaced is None else displaced / years, "too few of a currency")
    if before.is_scaled:
        yield from _magnitude(name, role, now, before, noise)
        return
    for measure, values in {
        "middle": [one.number("median", name) for one in (new, old)],
        "sum": [one.number("amount", name, "sum") for one in (new, old)],
        "top": [one.number("amount", name, "top") for one in (new, old)],
    }.items():
        a, b = (None if one is None else one * where.scale for one, where in zip(values, (now, before), strict=True))
        if not a or not b or a <= 0 or b <= 0:
            yield Evidence(measure, name, None, "no amount")
        elif measure == "top":
            yield Evidence(measure, name, log(a / b) / years)
        else:
            yield Evidence(measure, name, max(0.0, abs(log(a / b)) - (noise if measure == "middle" else 0)) / years)
    if now.scale != 1 and now.last_day.year == before.last_day.year and before.last_day < now.last_day:
        fell = (new.number("amount", name, "sum") or 0) < (old.number("amount", name, "sum") or 0)
        yield Evidence("fell", name, float(fell))


def _most_reweighed(now: Subject, before: Subject) -> float | None:
    """The largest change of an area's mean weight beside all others', as a logarithm, less the chance of it."""
    area, most = now.roles.first_column("area") or "", None
    both = [one.profile for one in (now, before)]
    means, apart, rows = ([one.counts(what, area) for one in both] for what in ("weighed", "weighed_apart", "values"))
    for one in means[0].keys() & means[1].keys():
        sizes = [counts.get(one, 0) for counts in rows]
        if min(sizes) >= FEW and min(mean[one] for mean in means) > 0:
            chance = sqrt(sum(spread.get(one, 1) ** 2 / size for spread, size in zip(apart, sizes, strict=True)))
            most = max(most or 0.0, abs(log(means[0][one] / means[1][one])) - 3 * chance)
    return most


def _most_displaced(new: Counts, old: Counts) -> float | None:
    """The largest change of the share of a currency's amounts that lie below some level, less the chance of it, as in
    the test of Kolmogorov and Smirnov, but with the error of each share: prices and wages are surest at their ends."""
    most: float | None = None
    for currency in {key.rsplit("|", 1)[0] for key in new}:
        below = [_levels_of(one, currency) for one in (new, old)]
        totals = [sum(one.values()) for one in below]
        if min(totals) < FEW:
            continue
        for level in below[0].keys() | below[1].keys():
            a, b = (sum(n for lower, n in one.items() if lower <= level) for one in below)
            most = max(most or 0.0, difference_of_shares(a, totals[0], b, totals[1], both=True))
    return most


def _levels_of(counts: Counts, currency: str) -> dict[int, float]:
    """Level -> amounts of one currency."""
    split = ((key.rsplit("|", 1), n) for key, n in counts.items())
    return {int(level): n for (of, level), n in split if of == currency}


def _width(profile: Profile, name: str) -> float:
    """The standard deviation of amounts' logarithms, were they log-normal; at most 1."""
    n, total, squares = (profile.number("amount", name, one) for one in ("count", "sum", "squares"))
    return min(1.0, sqrt(log(n * squares / total**2))) if n and total and squares and n * squares > total**2 else 1.0


def spread_of(profile: Profile, name: str) -> float | None:
    """How far weights lie apart, in parts of their mean: nought where all are one."""
    n, total, squares = (profile.number("amount", name, one) for one in ("count", "sum", "squares"))
    if not n or not total or not squares or n < FEW:
        return None
    return round(sqrt(max(0.0, n * squares / total**2 - 1)), 6)


def _magnitude(name: str, role: str, now: Subject, before: Subject, noise: float) -> Iterator[Evidence]:
    """How far the middle of records is away; of cells and weights, which follow the scale, nothing can be said."""
    values = [one.profile.number("median", name) for one in (now, before)]
    if role == "amount" and now.roles.counts_rows and all(values):
        yield Evidence("middle", name, max(0.0, abs(log(values[0] / values[1])) - noise))  # type: ignore[operator]
