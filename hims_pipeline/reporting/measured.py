"""What a rule on a batch's profile measured, computed again from the profiles that the verdict names."""

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates.comparisons import find_closest
from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.evidence import Subject, evidence_of
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.roles import roles_of

Profiles = dict[str, Profile]


def measure_entity(
    contract: Contract, entity: str, period: str, now: Profiles, before: list[tuple[str, Profiles]]
) -> dict[tuple[str, str], float]:
    """Measure and columns (as a finding names them) -> what was measured, less what chance makes.

    Args:
        now: entity -> profile of the batch.
        before: period and profiles of each batch that it was compared with.
    """
    if entity not in now:
        return {}
    own = Subject(contract, entity, period, now[entity], roles_of(contract, entity, period))
    beside = [
        compare_profiles(own, Subject(contract, entity, other, read[entity], roles_of(contract, entity, other)))
        for other, read in before
        if entity in read
    ]
    evidence = [*evidence_of(own), *find_closest(beside)]
    return {(one.measure, one.about.replace("|", " and ")): one.value for one in evidence if one.value is not None}
