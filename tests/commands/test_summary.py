"""What a run says of its figures when it has ended."""

import pytest

from hims_pipeline.commands.summary import describe_figure


@pytest.mark.parametrize(("cell", "named"), [("", ""), ("population_group", ", population_group REFUGEES")])
def test_a_figure_of_a_part_says_of_which(cell: str, named: str) -> None:
    figure = {"indicator": "A11", "indicator_name_en": "Hosted", "cell": cell, "population_group": "REFUGEES"}
    figure |= {"obs_value": 124006.4, "decimals": 0, "unit_measure": "PERSONS", "time_period": "2025"}
    figure |= {"source": "unhcr_population", "data_kind": "aggregate"}
    assert describe_figure(figure) == f"A11  Hosted{named}: 124,006 persons, 2025 (unhcr_population)"
