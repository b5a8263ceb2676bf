"""A batch beside its accepted predecessors: its profile taken once, theirs read, and what both say as evidence.

Not here: which batches are predecessors (`intake.predecessors`), limits and rules (`comparisons`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import Damaged
from hims_pipeline.gates.comparisons import find_closest
from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.evidence import Evidence, Subject, evidence_of
from hims_pipeline.gates.profile import Profile, read_profile, take_profile, write_profile
from hims_pipeline.gates.profile_joint import Rows
from hims_pipeline.gates.references import PREFIX, read_sql
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.lake.files import sha256_of
from hims_pipeline.settings import Settings
from hims_pipeline.sql import ParquetFiles, connection, quote, read_parquet


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
    """Take a batch's profile and compare it.

    Raises:
        Damaged: a predecessor's profile is not the one that its verdict names.
    """
    profiles: dict[str, Rows] = {}
    evidence: dict[str, list[Evidence]] = {}
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
            beside = {
                one: compare_profiles(
                    now,
                    Subject(
                        contract, name, one.period, read[name], roles_of(contract, name, one.period),
                        is_scaled=one.batch.startswith(PREFIX) and contract.data_kind == "synthetic",
                    ),
                )
                for one, read in known
                if name in read
            }  # fmt: skip
            own = [profile for one, profile in beside.items() if one.period == period and one.batch.startswith(PREFIX)]
            evidence[name] = [*evidence_of(now), *find_closest(list(beside.values()), own[0] if own else ())]
    return Beside(profiles, evidence, {one.batch: one.sha256 for one in before})


def keep_profile(settings: Settings, profiles: dict[str, Rows], path: Path) -> str:
    """Write a batch's profile, readable by us alone; returns its SHA-256."""
    made = path.with_name(f".{path.name}.tmp")  # the former one stands until the new one is whole
    with connection(settings) as con:
        write_profile(con, profiles, made)
    made.chmod(0o600)
    made.replace(path)
    return sha256_of(path)
