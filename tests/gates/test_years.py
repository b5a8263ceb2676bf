"""A year that is lost from a register is told from one that was always thin."""

import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates.dated_differences import compare_days
from hims_pipeline.gates.evidence import Subject
from hims_pipeline.gates.profile import Profile
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.settings import REPOSITORY

# Cooperants in post by the years since they came; of 1988, hardly anybody is left.
IN_2023 = {0: 790, 1: 490, 2: 195, 3: 224, 34: 44, 35: 1, 36: 34, 40: 30}
IN_2024 = {0: 840, 1: 410, 2: 489, 3: 195, 4: 224, 35: 44, 37: 34, 41: 30}


@pytest.mark.parametrize(("lost", "years"), [((), 0), ((2,), 1), ((3, 2), 2)])
def test_years_lost_from_a_stock_are_those_that_the_stock_before_had(lost: tuple[int, ...], years: int) -> None:
    contract = load_contracts(REPOSITORY / "data")["placements_atct"]

    def subject(period: str, counts: dict[int, int]) -> Subject:
        rows = [("years_back", "Date", str(back), float(n)) for back, n in counts.items()]
        return Subject(contract, "cooperants", period, Profile(rows), roles_of(contract, "cooperants", period))

    now = subject("2024", {back: n for back, n in IN_2024.items() if back not in lost})
    evidence = compare_days("Date", "date", now, subject("2023", IN_2023), 1.0)
    assert [one.value for one in evidence if one.measure == "year_lost"] == [years]
