"""What the numbering and the digests of a profile say beside those of an accepted batch: rows missing, rows twice, an
earlier period again. Not here: how many rows there are (`differences`)."""

from collections.abc import Iterator
from math import sqrt

from hims_pipeline.gates.evidence import FEW, Evidence, Subject, share_of
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.statistics import difference_of_shares


def compare_numbers(now: Subject, before: Subject) -> Iterator[Evidence]:
    """Numbers that are missing, rows that stand twice, and rows of an earlier period."""
    new, old = now.profile, before.profile
    for name in now.roles.columns_with("key"):
        first = _first_number(new, old, name)
        gaps = [_gaps(one, name, first) for one in (new, old)]
        if gaps[0] is not None and gaps[1] is not None:
            yield Evidence("numbers_missing", name, gaps[0] - gaps[1])
    for pair in new.at["along"]:
        along = [one.number("along", pair) for one in (new, old)]
        if along[1] is not None and along[0] is not None and abs(along[1]) > 0.9:
            yield Evidence("along", pair, abs(along[1]) - abs(along[0]))
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
    if now.period != before.period:  # who is in a stock mostly stays in it
        yield Evidence("again" if measured == "flow" else "nothing_new", "", _share_contained(new, old), "too few rows")


def _first_number(new: Profile, old: Profile, name: str) -> float | None:
    """1 where a register begins each period with it; None where the numbers go on from those before."""
    begins, reach = (old.number("keys", name, kind) for kind in ("min", "max"))
    return 1.0 if begins == 1 and (new.number("keys", name, "min") or 0) <= (reach or 0) else None


def _gaps(profile: Profile, name: str, first: float | None) -> float | None:
    low, high, rows = profile.number("keys", name, "min"), profile.number("keys", name, "max"), profile.number("rows")
    return None if low is None or high is None or not rows else 1 - rows / (high - (first or low) + 1)


def _gaps_within(profile: Profile, name: str) -> float | None:
    rows, numbers = profile.number("within", name, "rows"), profile.number("within", name, "numbers")
    return None if not rows or not numbers else 1 - rows / numbers


def _share_contained(new: Profile, old: Profile) -> float | None:
    """The share of runs of rows, by the smallest digests, that the earlier batch holds too."""
    ours, theirs = ({int(key) for key in one.counts("digest")} for one in (new, old))
    same = new.number("window") == old.number("window")  # runs of another length are never the same
    if not same or len(ours) < FEW or len(theirs) < FEW:
        return None
    reach = min(max(ours), max(theirs))
    seen = [one for one in ours if one <= reach]
    return sum(one in theirs for one in seen) / len(seen) if seen else None


def share_repeated(name: str, new: Profile, old: Profile) -> float | None:
    """By how much the share of rows that hold an identifier again rose, less the chance of it."""
    known, different = ([one.number(what, name) for one in (new, old)] for what in ("known", "different"))
    if not all(known) or not all(different):
        return None
    again = [k - d for k, d in zip(known, different, strict=True)]  # type: ignore[operator]
    return difference_of_shares(again[0], known[0], again[1], known[1])  # type: ignore[arg-type]
