"""Which sources a build renders: those whose contract holds, and whose corrections are SQL over their own columns."""

from hims_pipeline.contracts.corrections import Correction, corrections_of
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.staging.corrections import check_corrections


def held_sources(settings: Settings) -> tuple[dict[str, Contract], dict[str, tuple[Correction, ...]], dict[str, str]]:
    """Contracts and corrections of the sources that take part, and source -> what is wrong with its corrections."""
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
