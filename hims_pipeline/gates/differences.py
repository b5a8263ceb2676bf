"""What a profile says beside that of an accepted batch: sizes, structure, amounts, days, and copies.

Not here: what it says by itself (`evidence`), pairs of columns (`joint_differences`), amounts, days and copies
(`amount_differences`, `dated_differences`, `copy_differences`), which batches are compared (`intake.predecessors`).
"""

from collections.abc import Iterator
from math import log, sqrt

from hims_pipeline.gates.amount_differences import compare_amounts, spread_of
from hims_pipeline.gates.copy_differences import compare_numbers, share_repeated
from hims_pipeline.gates.dated_differences import compare_days, counts_units
from hims_pipeline.gates.evidence import FEW, Counts, Evidence, Subject
from hims_pipeline.gates.joint_differences import compare_joint, most_by_group
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.statistics import (
    SURELY_SOME,
    difference_of_shares,
    distance,
    heaping,
    largest_shift,
    mean_difference,
)

TOLD = ("sex", "age", "birth_year", "birth_date", "area", "post", "country", "category", "currency", "text",
        "amount")  # fmt: skip


def compare_profiles(now: Subject, before: Subject) -> list[Evidence]:
    """What a batch says beside an accepted one."""
    return list(_compare_sizes(now, before))


def _compare_sizes(now: Subject, before: Subject) -> Iterator[Evidence]:
    new, old = now.profile, before.profile
    years = max(1.0, abs((now.last_day - before.last_day).days) / 365.25)
    if not before.is_scaled:
        yield from _sizes(now, before, years)
    yield from compare_numbers(now, before)
    yield from compare_joint(now, before, years)
    if (cell := _most_changed_cell(now, before)) is not None:
        yield Evidence("cell", "", cell / years)
    for name, role in now.roles.of.items():
        if name not in before.roles.of:
            continue
        same = new.counts("form", name).keys() == old.counts("form", name).keys()
        yield from _unknowns(name, now, before)
        if role in TOLD and same:
            yield Evidence("narrowed", name, _measure_narrowing(name, role, now, before), "no values")
        if role == "identifier":
            follows_scale = before.is_scaled and name in now.roles.employers
            repeated = None if follows_scale else share_repeated(name, new, old)
            yield Evidence("repeated", name, repeated, "an employer's rows of another scale, or no identifiers")
        yield from compare_amounts(name, role, now, before, years)
        yield from compare_days(name, role, now, before, years)
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


def _most_changed_cell(now: Subject, before: Subject) -> float | None:
    """The largest change of a cell of a table, as a logarithm, beside that of the whole and less the chance of it; of
    cells that hold a hundredth of all in one of the two. None where there are no such cells to compare."""
    a, b = (one.profile.counts("cells") for one in (now, before))
    forms = [{name: one.profile.counts("form", name).keys() for name in now.roles.of} for one in (now, before)]
    na, nb = sum(a.values()), sum(b.values())
    if na <= 0 or nb <= 0 or forms[0] != forms[1]:
        return None
    changes = [0.0]
    for key in a.keys() | b.keys():
        x, y = a.get(key, 0.0), b.get(key, 0.0)
        if max(x / na, y / nb) >= 0.01:
            chance = 4 * sqrt(1 / (x + 0.5) + 1 / (y + 0.5)) if counts_units(now) else 0.0
            changes.append(abs(log((x + 0.5) / (na + 0.5) / ((y + 0.5) / (nb + 0.5)))) - chance)
    return max(changes)


def _measure_narrowing(name: str, role: str, now: Subject, before: Subject) -> float | None:
    """1 where one value alone stands in a column that held others, which so many rows would not miss by chance."""
    new, old = now.profile, before.profile
    if role == "amount":
        spreads = [spread_of(one, name) for one in (new, old)]
        return None if None in spreads else float(spreads[0] == 0 and spreads[1] > 0.01)  # type: ignore[operator]
    a, b = (one.counts("ages", name) or one.counts("values", name) for one in (new, old))
    if not a or (len(b) < 2 and not old.number("many", name)):
        return None
    others = 1 - max(b.values()) / sum(b.values()) if b else 1.0
    return float(len(a) == 1 and sum(a.values()) * others >= SURELY_SOME)


def _unknowns(name: str, now: Subject, before: Subject) -> Iterator[Evidence]:
    new, old = now.profile, before.profile
    parts = [(one.number("unknown", name), one.number("rows")) for one in (new, old)]
    if all(part is not None and rows for part, rows in parts):
        yield Evidence("more_unknown", name, difference_of_shares(*parts[0], *parts[1]))  # type: ignore[arg-type]


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
    yield Evidence("more_women_by_age", name, most_by_group(new, old, name))


def _group_ages(ages: dict[int, float]) -> Counts:
    counts: Counts = {}
    for age, n in ages.items():
        key = str(age // 5)
        counts[key] = counts.get(key, 0) + n
    return counts


def _rarer(a: Counts, b: Counts) -> float | None:
    """How many times rarer or more frequent the rarer sex is, as a logarithm, less the chance of it."""
    rare = min("FM", key=lambda sex: b.get(sex, 0))
    shares = [(one.get(rare, 0) + 0.5, one.get("F", 0) + one.get("M", 0) + 1) for one in (a, b)]
    error = sqrt(sum(1 / part - 1 / whole for part, whole in shares))
    return max(0.0, abs(log(shares[0][0] / shares[0][1] / (shares[1][0] / shares[1][1]))) - 3 * error)


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
            yield Evidence("rarer_sex", name, _rarer(a, b))
        if role == "category" and new.counts("by_sex", name):
            yield Evidence("more_women_by_category", name, most_by_group(new, old, name))
        if role in ("area", "post", "country") and new.counts("by_sex", name):
            yield Evidence("more_women_by_area", name, most_by_group(new, old, name))
        return
    sums = new.counts("amounts", name), old.counts("amounts", name)
    if all(sum(one.values()) > 0 for one in sums) and role != "currency":
        yield Evidence("shares", name, (distance(*sums, noisy=counts_units(now)) or 0) / sqrt(years))
    few = 0.0 if not before.is_scaled else 10 * sum(sums[1].values()) / (sum(sums[0].values()) or 1)
    lost = [
        key
        for key, n in b.items()
        if n >= max(3, 0.002 * sum(b.values())) and not a.get(key) and sums[1].get(key, few) >= few
    ]
    lost += [key for key, n in sums[1].items() if n >= max(few, 0.01 * sum(sums[1].values())) and not a.get(key)]
    yield Evidence("lost", name, float(len(set(lost))))
