"""Sources that take nothing in, since something that people edit for them does not hold. No other source is concerned,
and their figures stay (`staging.in_force`): the night goes on, and says so.

Not here: what a contract must say (`contracts`), and deliveries that are refused (`intake`).
"""

from hims_pipeline.contracts.load import broken_contracts, load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import Settings
from hims_pipeline.sql import pattern_problems


def broken_sources(settings: Settings) -> dict[str, str]:
    """Source -> what is wrong with its contract, the code lists that it names, its corrections or its suites."""
    from hims_pipeline.gates.suites import load_suite, suite_file
    from hims_pipeline.staging.in_force import find_in_force

    broken = broken_contracts(settings.data) | find_in_force(settings).broken
    for source, contract in load_contracts(settings.data).items():
        for entity in contract.entities:
            path = suite_file(settings.expectations, source, entity)
            try:
                if path.exists() and source not in broken:
                    load_suite(path)
            except ContractError as error:
                broken[source] = str(error)
    patterns = {source: _patterns_of(contract) for source, contract in load_contracts(settings.data).items()}
    strange = pattern_problems(frozenset().union(*patterns.values()))
    for source, own in patterns.items():
        if source not in broken and (problems := [f"{one!r} ({strange[one]})" for one in own if one in strange]):
            broken[source] = f"{source}.yml: a `pattern` is no regular expression of RE2: {', '.join(problems)}"
    return dict(sorted(broken.items()))


def _patterns_of(contract: Contract) -> list[str]:
    """The regular expressions of a contract's columns, in all of its layouts."""
    columns = (
        column
        for period in contract.periods_of_layouts
        for entity in contract.at(period).entities.values()
        for column in entity.columns
    )
    return list(dict.fromkeys(column.pattern for column in columns if column.pattern))
