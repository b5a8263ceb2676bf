"""The catalogue is whole: what is published is computed, in dimensions that its record names, and has its names."""

import re

import pytest

from hims_pipeline.contracts.indicators import (
    Indicator,
    breakdown_columns,
    code_in_name,
    load_breakdowns,
    load_indicators,
)
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.observatory import Policies
from hims_pipeline.settings import REPOSITORY
from tests.jinja import indicator_models

DATA = REPOSITORY / "data"


@pytest.fixture(scope="module")
def catalogue() -> dict[str, Indicator]:
    return load_indicators(DATA)


def test_codes_of_a_letter_go_on_without_a_gap(catalogue: dict[str, Indicator]) -> None:
    for letter in {code[0] for code in catalogue}:
        numbers = sorted(int(code[1:]) for code in catalogue if code[0] == letter)
        assert numbers == list(range(1, len(numbers) + 1)), letter


def test_a_model_gives_dimensions_of_its_record_alone(catalogue: dict[str, Indicator]) -> None:
    names = "|".join(("counterpart_area", "sex", "age", *breakdown_columns(DATA)))
    given = re.compile(rf"cast\((?!'_[TZ]' |null )[^\n]+ as string\) as ({names}),")
    found = {name: set(given.findall(sql)) for name, sql in indicator_models().items()}
    assert sum(map(len, found.values())) > 100
    wrong = {name: extra for name, of in found.items() if (extra := of - set(catalogue[code_in_name(name)].dimensions))}
    assert wrong == {}


def test_names_differ_between_indicators_in_each_language(catalogue: dict[str, Indicator]) -> None:
    for language in ("en", "fr", "ar"):
        names = [getattr(one.name, language) for one in catalogue.values()]
        assert len(set(names)) == len(names)
    for one in catalogue.values():
        assert one.definition.fr
        assert any("\u0600" <= letter <= "\u06ff" for letter in one.name.ar), one.code


def test_what_is_computed_is_published_and_fed_by_a_contract(catalogue: dict[str, Indicator]) -> None:
    computed = {code for code, one in catalogue.items() if one.status == "computed"}
    contracts = set(load_contracts(DATA))
    assert computed == {code for code, one in catalogue.items() if one.publish}
    assert computed == {code_in_name(name) for name in indicator_models()}
    for code in computed:
        assert contracts & set(catalogue[code].sources), f"{code}: no contract is called {catalogue[code].sources}"


def test_the_side_of_ref_area(catalogue: dict[str, Indicator]) -> None:
    assert (catalogue["A07"].ref_area_side, catalogue["A18"].ref_area_side) == ("origin", "destination")
    assert (catalogue["A12"].ref_area_side, catalogue["A11"].ref_area_side) == ("origin", "destination")
    assert catalogue["A11"].counterpart_area == "Country of origin"
    assert all(one.ref_area for one in catalogue.values())


def test_rows_hold_text_only_and_one_column_each(catalogue: dict[str, Indicator]) -> None:
    rows = [one.as_row(("fr", "ar", "en"), Policies()) for one in catalogue.values()]
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert all(isinstance(value, str) for row in rows for value in row.values())
    assert [one.name for one in load_breakdowns(DATA)] == breakdown_columns(DATA) == sorted(breakdown_columns(DATA))
