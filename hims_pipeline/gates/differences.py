"""What a profile says beside that of an accepted batch: sizes, structure, amounts, days, and copies.

Not here: what it says by itself (`evidence`), which batches are compared (`intake.predecessors`).
"""

from collections.abc import Iterator
from itertools import pairwise
from math import log, sqrt

from hims_pipeline.gates.evidence import FEW, Counts, Evidence, Subject, share_of
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.statistics import difference_of_shares, distance, heaping, largest_shift, mean_difference


def compare_profiles(now: Subject, before: Subject) -> list[Evidence]:
    """What a batch says beside an accepted one."""
    return list(_compare_sizes(now, before))


def _compare_sizes(now: Subject, before: Subject) -> Iterator[Evidence]:
    new, old = now.profile, before.profile
    years = max(1.0, abs((now.last_day - before.last_day).days) / 365.25)
    if not before.is_scaled:
        yield from _sizes(now, before, years)
    yield from _copies(now, before)
    for name, role in now.roles.of.items():
        if name not in before.roles.of:
            continue
        same = new.counts("form", name).keys() == old.counts("form", name).keys()
        yield from _unknowns(name, now, before)
        yield from _amounts(name, role, now, before, years)
        yield from _days(name, role, now, before, years)
        mapped = role == "sex" or same
        if role in ("age", "birth_year", "birth_date"):
            yield from _age_structure(name, new, old, years)
        elif role in ("sex", "area", "post", "country", "category", "currency", "text"):
            yield from _structure(name, role, now, before, years, mapped)


def _sizes(now: Subject, before: Subject, years: float) -> Iterator[Evidence]:
    a, b = now.profile.number("rows") or 0, before.profile.number("rows") or 0
    if not a or not b:
        return
    noise = 2 * sqrt(1 / a + 1 / b) if now.roles.counts_rows else 0.0
    change = max(0.0, abs(log(a / b)) - noise) / years
    yield Evidence("size_revised" if now.period == before.period else "size", "", change)


def _copies(now: Subject, before: Subject) -> Iterator[Evidence]:
    new, old = now.profile, before.profile
    for name in now.roles.columns_with("key"):
        gaps = [_gaps(one, name) for one in (new, old)]
        if gaps[0] is not None and gaps[1] is not None:
            yield Evidence("numbers_missing", name, gaps[0] - gaps[1])
    for pair in new.at["order"]:
        seen = [(one.number("order", pair, "later"), one.number("order", pair, "both")) for one in (new, old)]
        if all(part is not None and whole for part, whole in seen):
            yield Evidence("dates_order", pair, difference_of_shares(*seen[0], *seen[1], both=True))  # type: ignore[arg-type]
    for name in now.roles.of:
        gaps = [_gaps_within(one, name) for one in (new, old)]
        if gaps[0] is not None and gaps[1] is not None:
            yield Evidence("numbers_missing", name, gaps[0] - gaps[1] - 3 * sqrt(0.05 / (new.number("rows") or 1)))
    if not now.roles.counts_rows:
        return
    # Of many rows more are equal by chance than of few, so one scale tells nothing of another's; runs are not.
    rows = () if before.is_scaled else (("rows_twice", "rows_twice", "rows_seen"),)
    for measure, part, whole in (*rows, ("runs_twice", "runs_twice", "runs")):
        here, there = share_of(new, part, whole), share_of(old, part, whole)
        if here is not None and there is not None:
            noise = 3 * sqrt(max(here, there) / min(new.number(whole) or 1, old.number(whole) or 1))
            yield Evidence(measure, "", here - there - noise)
    contract = now.contract
    measured = contract.entities[now.entity].measure_type or contract.measure_type
    if measured == "flow" and now.period != before.period:
        yield Evidence("again", "", _share_contained(new, old), "too few rows")


def _gaps(profile: Profile, name: str) -> float | None:
    low, high, rows = profile.number("keys", name, "min"), profile.number("keys", name, "max"), profile.number("rows")
    return None if low is None or high is None or not rows else 1 - rows / (high - low + 1)


def _gaps_within(profile: Profile, name: str) -> float | None:
    rows, numbers = profile.number("within", name, "rows"), profile.number("within", name, "numbers")
    return None if not rows or not numbers else 1 - rows / numbers


def _share_contained(new: Profile, old: Profile) -> float | None:
    """The share of runs of rows, by the smallest digests, that the earlier batch holds too."""
    ours, theirs = ({int(key) for key in one.counts("digest")} for one in (new, old))
    if len(ours) < FEW or len(theirs) < FEW:
        return None
    reach = min(max(ours), max(theirs))
    seen = [one for one in ours if one <= reach]
    return sum(one in theirs for one in seen) / len(seen) if seen else None


def _unknowns(name: str, now: Subject, before: Subject) -> Iterator[Evidence]:
    new, old = now.profile, before.profile
    parts = [(one.number("unknown", name), one.number("rows")) for one in (new, old)]
    if all(part is not None and rows for part, rows in parts):
        yield Evidence("more_unknown", name, difference_of_shares(*parts[0], *parts[1]))  # type: ignore[arg-type]


def _amounts(name: str, role: str, now: Subject, before: Subject, years: float) -> Iterator[Evidence]:
    if role not in ("amount", "weight"):
        return
    new, old = now.profile, before.profile
    counts = [one.number("amount", name, "count") or 0 for one in (new, old)]
    noise = 4 * 1.25 * sqrt(1 / counts[0] + 1 / counts[1]) if all(counts) and now.roles.counts_rows else 0.0
    if role == "weight":
        spreads = [_spread(one, name) for one in (new, old)]
        if all(spreads) and not before.is_scaled:
            yield Evidence("spread", name, abs(log(spreads[0] / spreads[1])))  # type: ignore[operator]
        elif spreads[0] == 0 and (spreads[1] or 0) > 0.1:
            yield Evidence("spread", name, 10.0)
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


def _spread(profile: Profile, name: str) -> float | None:
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


def _days(name: str, role: str, now: Subject, before: Subject, years: float) -> Iterator[Evidence]:
    new, old = now.profile, before.profile
    if role not in ("date", "year"):
        return
    if role == "year" and not now.roles.counts_rows:
        holes = [one.number("holes", name) for one in (new, old)]
        if None not in holes:
            yield Evidence("cells_missing", name, holes[0] - holes[1])  # type: ignore[operator]
        yield Evidence("year_revised", name, _largest_revision(name, now, before), "no year in common")
    if role == "date":
        a, b = new.counts("day_of_month", name), old.counts("day_of_month", name)
        yield Evidence("days_of_month", name, distance(a, b))
        tops = [one.number("top_day", name) or 0 for one in (new, old)]
        totals = sum(a.values()), sum(b.values())
        if all(totals) and len(a) > 1:
            yield Evidence("one_day", name, difference_of_shares(tops[0], totals[0], tops[1], totals[1]))
        (gap, rate), (usual, _) = (_emptiest(one.profile.counts("days", name), one.length) for one in (now, before))
        both = all(one.counts("days", name) for one in (new, old))
        yield Evidence("days_missing", name, (gap - usual) * rate if both else None, "no day of the period")
        back = [one.counts("years_back", name) for one in (new, old)]
    else:
        back = [_counts_back(one.profile.counts("values", name), one.last_day.year) for one in (now, before)]
    if all(sum(one.values()) >= FEW for one in back):
        yield Evidence("years", name, (distance(back[0], back[1]) or 0) / sqrt(years))
        fresh = [min(float(key) for key, n in one.items() if n >= 0.002 * sum(one.values())) for one in back]
        yield Evidence("stale", name, fresh[0] - fresh[1])
        yield Evidence("year_lost", name, float(len(_holes(back[0]) - _holes(back[1]))))


def _largest_revision(name: str, now: Subject, before: Subject) -> float | None:
    """The largest change of a year's sum that both batches hold, as a logarithm; of years that weigh little,
    none. Beside another scale, the share that stands in other years."""
    a, b = (one.profile.counts("amounts", name) for one in (now, before))
    if before.is_scaled:
        common = a.keys() & b.keys()
        now_shared, before_shared = ({key: one[key] for key in common} for one in (a, b))
        return distance(now_shared, before_shared, noisy=_counts(now)) if len(common) > 2 else None
    few = 0.005 * max(sum(a.values()), sum(b.values()))
    changes = [abs(log(a[key] / b[key])) for key in a.keys() & b.keys() if min(a[key], b[key]) > max(few, 0)]
    return max(changes) if changes else None


def _counts_back(values: Counts, year: int) -> Counts:
    return {str(year - int(float(key))): n for key, n in values.items() if key.lstrip("-").replace(".", "").isdigit()}


def _holes(back: Counts) -> set[float]:
    """Years without a row between years that have many."""
    years = {float(key): n for key, n in back.items()}
    usual = sorted(years.values())[len(years) // 2]
    return {
        year for year in range(int(min(years)) + 1, int(max(years)))
        if years.get(float(year), 0) * 20 < usual
        and min(years.get(year - 1.0, 0), years.get(year + 1.0, 0)) * 2 > usual
    }  # fmt: skip


def _emptiest(days: Counts, length: int) -> tuple[int, float]:
    """The longest run of days of the period without a row, and how many rows the other days have each."""
    if not days:
        return 0, 0.0
    seen = [-1, *sorted(int(key) for key in days), max(length, *(int(key) + 1 for key in days))]
    longest = max(b - a - 1 for a, b in pairwise(seen))
    return longest, sum(days.values()) / max(1, seen[-1] - longest)


def _age_structure(name: str, new: Profile, old: Profile, years: float) -> Iterator[Evidence]:
    a, b = ({int(k): n for k, n in one.counts("ages", name).items()} for one in (new, old))
    if sum(a.values()) < FEW or sum(b.values()) < FEW:
        yield from (Evidence(measure, name, None, "too few") for measure in ("ages", "mean_age", "heaping_more"))
        return
    groups = [_group_ages(one) for one in (a, b)]
    yield Evidence("ages", name, (distance(groups[0], groups[1]) or 0) / sqrt(years))
    yield Evidence("mean_age", name, mean_difference(a, b) / sqrt(years))
    (w_new, n_new), (w_old, n_old) = heaping(a), heaping(b)
    yield Evidence(
        "heaping_more", name, None if w_new is None or w_old is None else w_new - w_old - n_new - n_old, "few"
    )
    yield Evidence("more_women_by_age", name, _most_by_group(new, old, name))


def _group_ages(ages: dict[int, float]) -> Counts:
    counts: Counts = {}
    for age, n in ages.items():
        key = str(age // 5)
        counts[key] = counts.get(key, 0) + n
    return counts


def _counts(now: Subject) -> bool:
    """Are the amounts of cells numbers of persons or events, which chance moves? Money is not."""
    amount = now.roles.first_column("amount")
    return amount is not None and now.contract.entity_in(now.entity, now.period).column(amount).type == "integer"


def _most_by_group(new: Profile, old: Profile, name: str) -> float | None:
    """The largest change of the share of women within an age group or area."""
    most = None
    tables = [one.counts("by_sex", name) for one in (new, old)]
    groups = {key.split("|", 1)[1] for key in tables[0]} & {key.split("|", 1)[1] for key in tables[1]}
    women = sorted({key.split("|", 1)[0] for key in tables[0]} & {key.split("|", 1)[0] for key in tables[1]})
    for group in groups if len(women) == 2 else ():
        parts = [(t.get(f"{women[0]}|{group}", 0), sum(t.get(f"{sex}|{group}", 0) for sex in women)) for t in tables]
        if all(whole >= FEW for _, whole in parts):
            most = max(most or 0.0, difference_of_shares(*parts[0], *parts[1], both=True, z=4))
    return most


def _structure(name: str, role: str, now: Subject, before: Subject, years: float, same: bool) -> Iterator[Evidence]:
    new, old = now.profile, before.profile
    a, b = new.counts("values", name), old.counts("values", name)
    if not same or not a or not b or (role == "text" and (len(a) > 100 or len(b) > 100)):
        yield Evidence("shares", name, None, "not the same codes")
        return
    if now.roles.counts_rows:
        yield Evidence("shares", name, (distance(a, b) or 0) / sqrt(years))
        yield Evidence("shift", name, largest_shift(a, b) / sqrt(years))
        women = [(one.get("F", 0), one.get("F", 0) + one.get("M", 0)) for one in (a, b)]
        if role == "sex" and all(both >= FEW for _, both in women):
            yield Evidence("more_women", name, difference_of_shares(*women[0], *women[1], both=True))
        if role == "category" and new.counts("by_sex", name):
            yield Evidence("more_women_by_category", name, _most_by_group(new, old, name))
        if role in ("area", "post", "country") and new.counts("by_sex", name):
            yield Evidence("more_women_by_area", name, _most_by_group(new, old, name))
        for pair, strengths in new.at["strength"].items():
            then = old.number("strength", pair)
            if pair.startswith(f"{name}|") and then is not None:
                n = min(new.number("paired", pair) or 1, old.number("paired", pair) or 1)
                yield Evidence("strength", pair, abs(strengths[""] - then) - 4 / sqrt(n))
        return
    sums = new.counts("amounts", name), old.counts("amounts", name)
    if all(sum(one.values()) > 0 for one in sums) and role != "currency":
        yield Evidence("shares", name, (distance(*sums, noisy=_counts(now)) or 0) / sqrt(years))
    few = 0.0 if not before.is_scaled else 10 * sum(sums[1].values()) / (sum(sums[0].values()) or 1)
    lost = [
        key
        for key, n in b.items()
        if n >= max(3, 0.002 * sum(b.values())) and not a.get(key) and sums[1].get(key, few) >= few
    ]
    lost += [key for key, n in sums[1].items() if n >= max(few, 0.01 * sum(sums[1].values())) and not a.get(key)]
    yield Evidence("lost", name, float(len(set(lost))))
