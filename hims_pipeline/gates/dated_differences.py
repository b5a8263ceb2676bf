"""What days and years of a profile say beside those of an accepted batch. Not here: ages (`differences`)."""

from collections.abc import Iterator
from itertools import pairwise
from math import log, sqrt

from hims_pipeline.gates.evidence import FEW, Counts, Evidence, Subject
from hims_pipeline.gates.statistics import SURELY_SOME, difference_of_shares, distance


def compare_days(name: str, role: str, now: Subject, before: Subject, years: float) -> Iterator[Evidence]:
    """Days, and years, of one column."""
    new, old = now.profile, before.profile
    if role not in ("date", "year"):
        return
    if role == "year" and not now.roles.counts_rows:
        holes = [one.number("holes", name) for one in (new, old)]
        if None not in holes:
            yield Evidence("cells_missing", name, holes[0] - holes[1])  # type: ignore[operator]
        yield Evidence("year_revised", name, _share_revised(name, now, before), "no year in common")
    if role == "date":
        a, b = new.counts("day_of_month", name), old.counts("day_of_month", name)
        yield Evidence("days_of_month", name, distance(a, b))
        tops = [one.number("top_day", name) or 0 for one in (new, old)]
        totals = sum(a.values()), sum(b.values())
        if all(totals) and len(a) > 1:
            yield Evidence("one_day", name, difference_of_shares(tops[0], totals[0], tops[1], totals[1]))
        missed = _share_missed(new.counts("days", name), old.counts("days", name), now.length)
        yield Evidence("days_missing", name, missed, "no day of the period")
        back = [one.counts("years_back", name) for one in (new, old)]
    else:
        back = [_counts_back(one.profile.counts("values", name), one.last_day.year) for one in (now, before)]
    if all(sum(one.values()) >= FEW for one in back):
        yield Evidence("years", name, (distance(back[0], back[1]) or 0) / sqrt(years))
        fresh = [min(float(key) for key, n in one.items() if n >= 0.002 * sum(one.values())) for one in back]
        yield Evidence("stale", name, fresh[0] - fresh[1])
        yield Evidence("year_lost", name, float(len(_lost_years(now, before, *back))))


def _share_revised(name: str, now: Subject, before: Subject) -> float | None:
    """The largest change of a year's sum that both batches hold, as a logarithm; of years that weigh little,
    none. Beside another scale, the share that stands in other years."""
    a, b = (one.profile.counts("amounts", name) for one in (now, before))
    if before.is_scaled:
        common = a.keys() & b.keys()
        now_shared, before_shared = ({key: one[key] for key in common} for one in (a, b))
        return distance(now_shared, before_shared, noisy=counts_units(now)) if len(common) > 2 else None
    few = 0.005 * max(sum(a.values()), sum(b.values()))
    changes = [abs(log(a[key] / b[key])) for key in a.keys() & b.keys() if min(a[key], b[key]) > max(few, 0)]
    return max(changes) if changes else None


def _counts_back(values: Counts, year: int) -> Counts:
    return {str(year - int(float(key))): n for key, n in values.items() if key.lstrip("-").replace(".", "").isdigit()}


def _holes(back: Counts, few: float) -> set[float]:
    """Years without a row between years that have many: more than these few, of which chance may leave none."""
    years = {float(key): n for key, n in back.items()}
    usual = sorted(years.values())[len(years) // 2]
    return {
        year for year in range(int(min(years)) + 1, int(max(years)))
        if years.get(float(year), 0) * 20 < usual
        and min(years.get(year - 1.0, 0), years.get(year + 1.0, 0)) > max(usual / 2, few)
    }  # fmt: skip


def _lost_years(now: Subject, before: Subject, new: Counts, old: Counts) -> set[float]:
    """Years back that are missing between others. Who is in a stock was there in the calendar year in which the stock
    before has him, too: a year that was thin then, as in a register that began late, is not lost now."""
    few = 2 * SURELY_SOME if now.roles.counts_rows else 0  # records come in clusters
    kept = [old]
    if (now.contract.entities[now.entity].measure_type or now.contract.measure_type) == "stock":
        moved = now.last_day.year - before.last_day.year
        kept.append({str(int(float(key)) + moved): n for key, n in old.items()})
    gone = _holes(new, few).difference(*(_holes(one, 0) for one in kept))
    missing = [_missing_years(new, one) for one in kept] if now.roles.counts_rows else [set[float]()]
    return gone | set.intersection(*missing)


def _missing_years(now: Counts, before: Counts) -> set[float]:
    """Years back, between others, that a register had many rows of, and has none of now; at its ends it moves on."""
    scale, years = sum(now.values()) / sum(before.values()), [float(key) for key, n in now.items() if n]
    many = {float(key) for key, n in before.items() if n * scale >= 2 * SURELY_SOME and not now.get(key)}
    return {year for year in many if min(years) < year < max(years)}


def _share_missed(days: Counts, usual: Counts, length: int) -> float | None:
    """The most rows that a run of days without a row would hold, were they spread over the period as before."""
    if not days or not usual:
        return None
    seen = [-1, *sorted(int(key) for key in days), max(length, *(int(key) + 1 for key in days))]
    whole, most = sum(usual.values()), 0.0
    for last, following in pairwise(seen):
        share = sum(usual.get(str(day), 0.0) for day in range(last + 1, following)) / whole
        most = max(most, share / max(1 - share, 0.05) * sum(days.values()))
    return most


def counts_units(now: Subject) -> bool:
    """Are the amounts of cells numbers of persons or events, which chance moves? Money is not."""
    amount = now.roles.first_column("amount")
    return amount is not None and now.contract.entity_in(now.entity, now.period).column(amount).type == "integer"
