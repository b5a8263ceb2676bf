"""A batch beside its accepted predecessors: its profile taken once, theirs read, and what both say as evidence.

Not here: which batches came before (`intake.predecessors`), a small batch beside all of them (`pooled_evidence`),
limits and rules (`comparisons`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import Damaged
from hims_pipeline.gates.comparisons import find_closest
from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.evidence import Evidence, Subject, evidence_of
from hims_pipeline.gates.pooled_evidence import compare_with_all, take_larger
from hims_pipeline.gates.profile import Profile, read_profile, take_profile, write_profile
from hims_pipeline.gates.profile_joint import Rows
from hims_pipeline.gates.references import PREFIX, read_sql
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.lake.periods import covers
from hims_pipeline.settings import Settings
from hims_pipeline.sql import ParquetFiles, connection, quote, read_parquet

SEASON_DAYS = 20  # around a year: the same month, quarter or day of the year before


@dataclass(frozen=True)
class Predecessor:
    """An accepted batch that another is compared with, by its profile and the profile's hash."""

    batch: str
    period: str
    profile: Path
    sha256: str


@dataclass(frozen=True)
class Beside:
    """What was found: the profile of each entity, and the evidence on it."""

    profiles: dict[str, Rows]
    evidence: dict[str, list[Evidence]]
    compared_with: dict[str, str]


def set_beside(
    settings: Settings,
    contract: Contract,
    period: str,
    tables: Mapping[str, ParquetFiles],
    before: Sequence[Predecessor],
) -> Beside:
    """Take a batch's profile and compare it: with the nearest one by one, and, where it is small, with all together.

    Raises:
        Damaged: a predecessor's profile is not the one that its verdict names.
    """
    profiles: dict[str, Rows] = {}
    evidence: dict[str, list[Evidence]] = {}
    used: set[Predecessor] = set()
    with connection(settings) as con:
        known = []
        for predecessor in before:
            if not predecessor.profile.is_file() or sha256_of(predecessor.profile) != predecessor.sha256:
                raise Damaged(predecessor.profile, "is not the profile that the batch's verdict names")
            known.append((predecessor, read_profile(con, predecessor.profile, read_sql(predecessor.profile))))
        for name, files in tables.items():
            con.execute(f"create view {quote(name)} as from {read_parquet(files)}")
            roles = roles_of(contract, name, period)
            profiles[name] = take_profile(con, contract, name, period, roles)
            now = Subject(contract, name, period, Profile(profiles[name]), roles)
            others = {
                one: Subject(
                    contract, name, one.period, read[name], roles_of(contract, name, one.period),
                    is_scaled=one.batch.startswith(PREFIX) and contract.data_kind == "synthetic",
                )
                for one, read in known
                if name in read
            }  # fmt: skip
            near = choose_near(list(others), contract, period)
            beside = {one: compare_profiles(now, others[one]) for one in near}
            own = [profile for one, profile in beside.items() if one.period == period and one.batch.startswith(PREFIX)]
            closest = find_closest(list(beside.values()), own[0] if own else ())
            together = compare_with_all(
                now, [other for one, other in others.items() if not one.batch.startswith(PREFIX)]
            )
            used.update(others if together else near)
            evidence[name] = [*evidence_of(now), *take_larger(closest, together)]
    return Beside(profiles, evidence, {one.batch: one.sha256 for one in before if one in used})


def choose_near(before: Sequence[Predecessor], contract: Contract, period: str) -> list[Predecessor]:
    """Of the batches before, those that say most of a period: its own, else the one before and the season of the year
    before; where nothing is earlier, the next; and references."""
    kept = [one for one in before if one.batch.startswith(PREFIX)]
    several = [one for one in before if one not in kept]
    if own := [one for one in several if one.period == period]:
        return [*own, *kept]
    start = covers(contract, period)[0]
    away = {one: (start - covers(contract, one.period)[0]).days for one in several}
    earlier = sorted((one for one in several if away[one] > 0), key=lambda one: away[one])
    later = sorted((one for one in several if away[one] < 0), key=lambda one: -away[one])
    near = (earlier or later)[:1]
    near += [one for one in earlier if abs(away[one] - 365) <= SEASON_DAYS and one not in near]
    return [*near, *kept]


def keep_profile(settings: Settings, profiles: dict[str, Rows], path: Path) -> str:
    """Write a batch's profile, readable by us alone; returns its SHA-256."""
    made = path.with_name(f".{path.name}.tmp")  # the former one stands until the new one is whole
    with connection(settings) as con:
        write_profile(con, profiles, made)
    made.chmod(0o600)
    made.replace(path)
    return sha256_of(path)
