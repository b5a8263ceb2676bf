"""Sources that take no part in a night, since something that people edit for them does not hold. No other source is
concerned: the night goes on without them, and says so.

Not here: what a contract must say (`contracts`), and deliveries that are refused (`intake`).
"""

from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import Settings


def broken_sources(settings: Settings) -> dict[str, str]:
    """Source -> what is wrong with its contract, the code lists that it names, its corrections or its suites."""
    from hims_pipeline.gates.suites import load_suite, suite_file
    from hims_pipeline.staging.held import held_sources

    broken = broken_contracts(settings.data) | held_sources(settings)[2]
    for source, contract in load_contracts(settings.data).items():
        for entity in contract.entities:
            path = suite_file(settings.expectations, source, entity)
            try:
                if path.exists() and source not in broken:
                    load_suite(path)
            except ContractError as error:
                broken[source] = str(error)
    return dict(sorted(broken.items()))
