"""What the joint counts of two profiles say beside each other: does a column still go with the others as it did, and
are the sexes where they were? A column that slipped by a row, was shuffled or recoded keeps its own distribution; only
beside other columns can that be told.

Not here: taking joint counts (`profile_joint`), what single columns say (`differences`).
"""

from collections.abc import Iterator
from math import sqrt

from hims_pipeline.gates.evidence import FEW, Counts, Evidence, Subject
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.profile_joint import MOST_TIED
from hims_pipeline.gates.statistics import difference_of_shares

SURE = 3.0  # standard errors of what chance makes
GROUPS = 4.0  # the same where the most striking of many groups is looked at
MANY = 1_000  # rows from which groups of amounts and of open text hold enough of them
TELLING = 0.7  # of the rows outside the most frequent value: a column that tells fewer of another tells it not
BOUND = 0.05  # a weaker tie between two columns is none


def compare_joint(now: Subject, before: Subject, years: float) -> Iterator[Evidence]:
    """Ties of columns, one by one and of each column with all others; the pattern of the sexes over groups.

    Args:
        years: between the two, over which ties change.
    """
    new, old = now.profile, before.profile
    ties: dict[str, list[tuple[float, float, float]]] = {name: [] for name in now.roles.of}
    for pair, strengths in new.at["strength"].items():
        then = old.number("strength", pair)
        if then is None or not all(_is_comparable(name, now, before) for name in pair.split("|")):
            continue
        a, b = (one.number("paired", pair) or 1 for one in (new, old))
        if min(a, b) < MANY and any(now.roles.of.get(name) in ("amount", "text") for name in pair.split("|")):
            continue  # a group of one row ties two columns by chance
        if any(_is_sparse(name, one) for name in pair.split("|") for one in (new, old)):
            continue
        if _is_scattered(pair, new) or _is_scattered(pair, old):
            continue
        yield Evidence("strength", pair, (abs(strengths[""] - then) - 4 / sqrt(min(a, b))) / sqrt(years))
        if then > max(BOUND, SURE / sqrt(b)):
            for name in pair.split("|"):
                ties.setdefault(name, []).append((then, strengths[""], 1 / a + 1 / b))
    for name, of_column in ties.items():
        if of_column:
            yield Evidence("slipped", name, _strength_lost(of_column) / sqrt(years))
    yield from _compare_telling(now, before, years)
    sex = now.roles.first_column("sex")
    if sex and sex in before.roles.of:
        yield Evidence("sexes_exchanged", sex, _measure_exchange(new, old), "no pattern to tell")
        for about in new.at["by_sex"].keys() & old.at["by_sex"].keys():
            if about not in now.roles.of or not _is_comparable(about, now, before):
                continue
            yield Evidence("sexes_exchanged", about, _most_mirrored(new, old, about), "no group to tell")


def _compare_telling(now: Subject, before: Subject, years: float) -> Iterator[Evidence]:
    """Where a column told another, the share of its rows in which it no longer does, less the chance of it."""
    for pair, shares in before.profile.at["told"].items():
        still = now.profile.number("told", pair)
        if shares[""] < TELLING or still is None:
            continue
        if not all(_is_comparable(name, now, before) for name in pair.split("|")):
            continue
        then, of = (before.profile.number("to_tell", pair) or 0, now.profile.number("to_tell", pair) or 0)
        lost = difference_of_shares((1 - still) * of, of, (1 - shares[""]) * then, then)
        yield Evidence("told", pair, lost / sqrt(years))


def _is_sparse(name: str, profile: Profile) -> bool:
    """Do so few rows hold another value than the most frequent one that a tie of theirs is chance?"""
    counts = (profile.counts("values", name) or profile.counts("ages", name)).values()
    return bool(counts) and sum(counts) - max(counts) < FEW


def _is_scattered(pair: str, profile: Profile) -> bool:
    """Has a value of one of two columns so few rows for the many values of the other that most have none of it? Then
    one row weighs much, and where it falls is chance (expected counts far below one: Cochran 1954)."""
    left, right = (_group_values(name, profile) for name in pair.split("|"))
    return any(a and min(sorted(a.values())[-MOST_TIED:]) < 0.5 * len(b) for a, b in ((left, right), (right, left)))


def _group_values(name: str, profile: Profile) -> Counts:
    """Rows by value, ages by tens as ties are taken."""
    if not (ages := profile.counts("ages", name)):
        return profile.counts("values", name)
    groups: Counts = {}
    for age, n in ages.items():
        groups[str(int(age) // 10)] = groups.get(str(int(age) // 10), 0) + n
    return groups


def _is_comparable(name: str, now: Subject, before: Subject) -> bool:
    """Does a column say the same in both, by its codes?"""
    forms = [one.profile.counts("form", name).keys() for one in (now, before)]
    return now.roles.of.get(name) == "sex" or forms[0] == forms[1]


def _strength_lost(ties: list[tuple[float, float, float]]) -> float:
    """The share of a column's ties with the others that is gone for certain: 1 where all are."""
    weight = sum(then * then for then, _, _ in ties)
    lost = sum(then * (then - now) for then, now, _ in ties) / weight
    error = sqrt(sum(then * then * variance for then, _, variance in ties)) / weight
    return max(0.0, lost - SURE * error)


def _measure_exchange(new: Profile, old: Profile) -> float | None:
    """How far the pattern of the sexes over groups is the other way round: 1 where men stand where women stood, 0 where
    all is as it was. The grouping that tells most speaks; None where none tells anything."""
    best: tuple[float, float] | None = None
    for about in new.at["by_sex"]:
        tables = [_women(one.counts("by_sex", about)) for one in (new, old)]
        groups = [one for one in tables[0].keys() & tables[1].keys() if tables[1][one][1] >= FEW]
        now_all, then_all = ([sum(t[g][place] for g in groups) for place in (0, 1)] for t in tables)
        if not groups or not now_all[1] or not then_all[1]:
            continue
        explained = error = agreed = 0.0
        for group in groups:
            (w, n), (before, size) = tables[0][group], tables[1][group]
            if not n:
                continue
            apart = before / size - then_all[0] / then_all[1]
            explained += n * apart * apart - n * 0.25 / size  # what chance alone makes of the groups before
            agreed += n * apart * (w / n - now_all[0] / now_all[1])
            error += n * apart * apart * 0.25 * (1 + n / size)
        if explained > 0 and (best is None or explained > best[0]):
            best = (explained, (1 - agreed / explained - SURE * sqrt(error) / explained) / 2)
    return max(0.0, best[1]) if best else None


def _most_mirrored(new: Profile, old: Profile, about: str) -> float | None:
    """How far the share of women of some group went over to the other side of a half, which a real change hardly does:
    0 where it is as it was, 1 where men are as many as women were. The most of all groups in which chance alone cannot
    go half of that way; None where the sexes of no group lie far enough apart."""
    tables, most = [_women(one.counts("by_sex", about)) for one in (new, old)], None
    for group in tables[0].keys() & tables[1].keys():
        (women, n), (before, size) = tables[0][group], tables[1][group]
        if min(n, size) < FEW:
            continue
        apart = before / size - 0.5
        if abs(apart) > GROUPS * 0.5 * sqrt(1 / n + 1 / size):
            most = max(most or 0.0, (1 - (women / n - 0.5) / apart) / 2)
    return most


def _women(counts: Counts) -> dict[str, tuple[float, float]]:
    """Group -> women, and both sexes; nothing where the codes are others."""
    women_of: dict[str, tuple[float, float]] = {}
    for key, n in counts.items():
        sex, group = key.split("|", 1)
        women, both = women_of.get(group, (0.0, 0.0))
        if sex in ("F", "M"):
            women_of[group] = (women + n * (sex == "F"), both + n)
    return women_of


def most_by_group(new: Profile, old: Profile, name: str) -> float | None:
    """The largest change of the share of women within an age group or area."""
    most = None
    tables = [_women(one.counts("by_sex", name)) for one in (new, old)]
    for group in tables[0].keys() & tables[1].keys():
        parts = [one[group] for one in tables]
        if all(whole >= FEW for _, whole in parts):
            most = max(most or 0.0, difference_of_shares(*parts[0], *parts[1], both=True, z=4))
    return most
