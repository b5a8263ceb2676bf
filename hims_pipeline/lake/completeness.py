"""Whether the files of a delivery are all that its contract asks for. Names alone are looked at, nothing is opened."""

from hims_pipeline.contracts.entities import is_totals
from hims_pipeline.contracts.model import Contract, matches
from hims_pipeline.lake.landing import inner_name


def describe_missing(contract: Contract, period: str, names: list[str], ailing: list[str]) -> str:
    """What a delivery lacks: entities that are required, a codebook, and files that belong to it and cannot be taken
    over as they are. `""` where it is whole."""
    held = _entities(contract, period, ailing) - _entities(contract, period, names)
    archives = [name for name in ailing if name.lower().endswith(".zip")]
    if held or archives or any(contract.is_companion(inner_name(name), period) for name in ailing):
        return "waiting for a file of this delivery that cannot be taken over as it is"
    if any(name.lower().endswith(".zip") for name in names):
        return ""  # an archive is opened by its reader; what it lacks is found there
    if names and all(is_totals(name) for name in names):
        return "waiting for the file that these totals are of; put both there together"
    inner, taken = [inner_name(name) for name in names], _entities(contract, period, names)
    needed = [entity for entity in contract.entities if contract.entity_in(entity, period).required]
    waiting = [entity for entity in needed if entity not in taken]
    globs = dict.fromkeys(glob for entity in taken if (glob := contract.format_in(entity, period).companion))
    waiting += [glob for glob in globs if not any(matches(name, glob) for name in inner)]
    if waiting and (taken or any(contract.is_companion(name, period) for name in inner)):
        return f"waiting for {', '.join(waiting)} to complete the delivery"
    return ""


def _entities(contract: Contract, period: str, names: list[str]) -> set[str]:
    return {entity for name in names for entity in contract.takers(inner_name(name), period)}
