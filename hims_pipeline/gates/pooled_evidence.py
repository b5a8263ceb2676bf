"""What a small batch says beside all accepted before it together. One quarter of a register of some hundred rows hides
in its chance what eight quarters show; and how far each of the eight lies from the others says what is usual.

Not here: which batches these are (`intake.predecessors`), how two are compared (`differences`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.evidence import Evidence, Subject
from hims_pipeline.gates.profile import Profile

SMALL = 1_000  # rows from which two batches tell enough of each other
FEWEST = 3  # batches, of which each can be held against the others
_ADDED = ("form", "rows", "unknown", "values", "ages", "by_sex", "amount_levels")  # counts of rows, which add up
_TOLD = (
    "more_unknown", "shares", "shift", "more_women", "more_women_by_age", "more_women_by_area",
    "more_women_by_category", "rarer_sex", "sexes_exchanged", "ages", "mean_age", "amount_levels",
)  # fmt: skip


def compare_with_all(now: Subject, members: Sequence[Subject]) -> list[Evidence]:
    """Evidence beside all together, less the most that one of them shows beside the others; none where the batch is
    not small, or they are too few."""
    if (now.profile.number("rows") or 0) >= SMALL or len(members) < FEWEST or not now.roles.counts_rows:
        return []
    usual: dict[tuple[str, str], float] = {}
    for place, member in enumerate(members):
        for one in _compare(member, [*members[:place], *members[place + 1 :]]):
            usual[one.measure, one.about] = max(usual.get((one.measure, one.about), 0.0), one.value or 0.0)
    return [
        replace(one, value=max(0.0, one.value - usual.get((one.measure, one.about), 0.0)))
        for one in _compare(now, members)
        if one.value is not None
    ]


def take_larger(closest: Sequence[Evidence], together: Sequence[Evidence]) -> list[Evidence]:
    """Of evidence beside single batches and beside all together, the larger one for each measure and column."""
    more = {(one.measure, one.about): one for one in together}
    kept = []
    for one in closest:
        other = more.pop((one.measure, one.about), one)
        kept.append(other if (other.value or 0.0) > (one.value or 0.0) else one)
    return [*kept, *more.values()]


def _compare(now: Subject, members: Sequence[Subject]) -> list[Evidence]:
    pool = replace(members[-1], profile=_add_up([one.profile for one in members]), is_scaled=True)
    return [one for one in compare_profiles(now, pool) if one.measure in _TOLD]


def _add_up(profiles: Sequence[Profile]) -> Profile:
    total: Counter[tuple[str, str, str]] = Counter()
    for profile in profiles:
        for measure in _ADDED:
            for about, counts in profile.at.get(measure, {}).items():
                total.update({(measure, about, key): n for key, n in counts.items()})
    return Profile([(*place, float(n)) for place, n in total.items()])
