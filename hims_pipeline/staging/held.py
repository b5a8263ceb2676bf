"""Which sources a build renders: those whose contract holds, and whose corrections are SQL over their own columns."""

from functools import lru_cache

from hims_pipeline.contracts.corrections import Correction, corrections_of
from hims_pipeline.contracts.load import edited_state, load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.staging.corrections import check_corrections

Held = tuple[dict[str, Contract], dict[str, tuple[Correction, ...]], dict[str, str]]


def held_sources(settings: Settings) -> Held:
    """Contracts and corrections of the sources that take part, and source -> what is wrong with its corrections; worked
    out once while the files stay as they are."""
    contracts, mended, broken = _hold(settings, edited_state(settings.data))
    return dict(contracts), dict(mended), dict(broken)


@lru_cache(maxsize=8)
def _hold(settings: Settings, _state: tuple[tuple[str, int, int], ...]) -> Held:
    contracts, mended, broken = load_contracts(settings.data), {}, {}
    with_corrections = {
        source: some for source, one in contracts.items() if (some := corrections_of(settings.data, source, one))
    }
    if not with_corrections:
        return contracts, {}, {}
    with connection(settings) as con:
        for source, corrections in with_corrections.items():
            try:
                check_corrections(con, contracts[source], corrections)
                mended[source] = corrections
            except ContractError as error:
                broken[source] = str(error)
                del contracts[source]
    return contracts, mended, broken
