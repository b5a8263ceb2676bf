"""What a profile says by itself. Each line of evidence is one measure of one column, a number that is nought where
nothing is wrong, from which the chance of a sample of this size is taken off.

Not here: what it says beside others (`differences`), how much is too much (`comparisons`), taking profiles (`profile`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import inf

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.roles import Roles
from hims_pipeline.gates.statistics import digit_preference, heaping, highest_share, lowest_share
from hims_pipeline.lake.periods import covers

FEW = 30  # values: with fewer, a constant or a share says nothing
MANY_WEIGHTS = 200  # so that twenty are no great part of them
Counts = dict[str, float]


@dataclass(frozen=True)
class Evidence:
    """One measure of one column; `value` is None where there is nothing to judge, and why."""

    measure: str
    about: str
    value: float | None
    why: str = ""


@dataclass(frozen=True)
class Subject:
    """A profile of one entity with what it is about.

    Args:
        is_scaled: drawn at another scale, so that it says how things are, not how many.
    """

    contract: Contract
    entity: str
    period: str
    profile: Profile
    roles: Roles
    is_scaled: bool = False

    @property
    def last_day(self) -> date:
        return covers(self.contract, self.period)[1]

    @property
    def length(self) -> int:
        """Days of the period."""
        first, last = covers(self.contract, self.period)
        return (last - first).days + 1

    @property
    def scale(self) -> float:
        """What a sum since 1 January is multiplied by to be that of a year."""
        to_date = self.contract.reference_point_of(self.entity) == "TO_DATE"
        return 366 / self.last_day.timetuple().tm_yday if to_date else 1.0


def evidence_of(now: Subject) -> list[Evidence]:
    """What a batch says by itself."""
    return list(_evidence_alone(now))


def _evidence_alone(now: Subject) -> Iterator[Evidence]:
    profile, rows = now.profile, now.profile.number("rows") or 0
    entity = now.contract.entity_in(now.entity, now.period)
    for name, role in now.roles.of.items():
        column = entity.column(name)
        unknown = profile.number("unknown", name) or 0
        counts = profile.counts("ages", name) or profile.counts("values", name)
        is_told = role in ("sex", "age", "birth_year", "birth_date") or (
            role in ("area", "post", "country") and column.required
        )
        if is_told and not column.may_be_empty and now.roles.counts_rows:
            yield Evidence("unknown", name, lowest_share(unknown, rows))
        elif not column.may_be_empty:
            yield Evidence("hardly_filled", name, lowest_share(unknown, rows))
        single = len(column.codes or ()) == 1
        if is_told and now.roles.counts_rows and not single:
            known = sum(counts.values())
            yield Evidence("constant", name, float(len(counts) == 1) if known >= FEW else None, "too few rows")
        if role in ("age", "birth_year", "birth_date"):
            yield from _ages(name, counts)
        if role == "sex" and now.roles.counts_rows:
            women = counts.get("F", 0)
            both = women + counts.get("M", 0)
            less = min(women, both - women)
            yield Evidence("one_sex", name, 0.5 - highest_share(less, both) if both >= FEW else None, "too few")
        if role == "weight":
            top, below = (profile.number("amount", name, kind) or 0 for kind in ("top", "below_top"))
            few = (profile.number("amount", name, "count") or 0) < MANY_WEIGHTS
            yield Evidence("heaviest", name, None if few else top / below if below else inf, "too few weights")
        if role == "amount" and not now.roles.counts_rows and now.roles.first_column("year"):
            yield Evidence("spike", name, profile.number("spike", name), "no series")
        if role == "amount" and not now.roles.counts_rows and column.type == "integer":
            yield Evidence("divisor", name, profile.number("divisor", name), "too few amounts")
    if now.roles.counts_rows:
        yield Evidence("runs_alone", "", share_of(profile, "runs_twice", "runs"), "too few rows")


def _ages(name: str, counts: Counts) -> Iterator[Evidence]:
    ages = {int(key): n for key, n in counts.items()}
    total = sum(ages.values())
    if total < FEW:
        yield from (
            Evidence(measure, name, None, "too few") for measure in ("heaping", "digit", "one_age", "oldest", "unborn")
        )
        return
    whipple, noise = heaping(ages)
    yield Evidence("heaping", name, None if whipple is None else whipple - noise, "too few")
    yield Evidence("digit", name, digit_preference(ages), "too few")
    yield Evidence("one_age", name, lowest_share(max(ages.values()), total))
    yield Evidence("oldest", name, lowest_share(sum(n for age, n in ages.items() if age >= 98), total))
    yield Evidence("unborn", name, lowest_share(sum(n for age, n in ages.items() if age < 0), total))


def share_of(profile: Profile, part: str, whole: str) -> float | None:
    """One number of a profile as a share of another, from 0 to 1; None where the other is below `FEW`."""
    total = profile.number(whole)
    return None if not total or total < FEW else (profile.number(part) or 0) / total
