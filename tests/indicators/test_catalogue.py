"""The catalogue is whole: every indicator of the design, with its dimensions, in three languages."""

import re

import pytest

from hims_pipeline.contracts.indicators import Indicator, breakdown_columns, load_breakdowns, load_indicators
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.settings import REPOSITORY

DATA = REPOSITORY / "data"
# The codes of the indicator design, and those added to it, by letter.
CODES = {"A": 19, "B": 33, "C": 15, "D": 10, "E": 7, "P": 5}
# The design's extra dimensions of the indicators that have some, in its own words.
DIMENSIONS = {
    "A01": "CITIZEN GOV EDU ACTIVITY", "A02": "C_BIRTH", "A03": "C_BIRTH", "A04": "GOV", "A05": "DEST EDU REASON ROUTE",
    "A06": "COUNTRY SEX AGE4 OCC DUAL", "A07": "DEST EDU SEX", "A08": "DEST", "A09": "DEST REASON DURATION",
    "A10": "LASTCOUNTRY VOLUNTARY", "A11": "COO STATUS", "A12": "COA", "A13": "CITIZEN REGION SECTOR LEVEL FIELD",
    "A14": "DEST", "A15": "DEST SECTOR", "A16": "CITIZEN ISIC GOV", "B01": "CITIZEN PREV_COUNTRY REASON",
    "B02": "DEST REASON EDU", "B03": "LASTCOUNTRY", "B05": "GOV", "B06": "GOV", "B07": "GOV", "B08": "EDU SEX",
    "B09": "DEST", "B10": "DEST REASON DURATION", "B11": "CITIZEN REASON VALIDITY GOV EVENT",
    "B12": "CITIZEN OCC ISIC SECTOR", "B13": "DEST SECTOR CHANNEL", "B14": "DIRECTION POST CITIZEN RESIDENT_STATUS",
    "B15": "CITIZEN", "B16": "COO", "B17": "DEST APPLICANT_TYPE", "B18": "COO", "B19": "CITIZEN POST",
    "B21": "DEST MODE", "B22": "DEST", "B23": "O D REASON EDU", "B24": "GOV", "B25": "GOV",
    "B30": "DEST GROUND", "B32": "BORDERROUTE", "B33": "DEST SEX", "D10": "DEST",
    "E05": "REGISTER",
}  # fmt: skip
# A dimension of the design -> column of the published table.
COLUMNS = {
    "CITIZEN": "citizenship", "C_BIRTH": "country_birth", "EDU": "education_lev", "ACTIVITY": "activity",
    "REASON": "reason", "ROUTE": "route", "OCC": "occupation", "DUAL": "dual_citizenship",
    "DURATION": "permit_duration", "LASTCOUNTRY": "last_country", "VOLUNTARY": "return_mode",
    "MODE": "return_mode", "STATUS": "population_group",
    "GROUND": "ground", "BORDERROUTE": "border_route",
    "REGION": "citizenship_region", "EVENT": "permit_event",
    "SECTOR": "sector", "LEVEL": "study_level", "FIELD": "study_field", "ISIC": "economic_activity",
    "PREV_COUNTRY": "previous_country", "VALIDITY": "permit_validity", "CHANNEL": "channel", "DIRECTION": "direction",
    "POST": "border_post", "RESIDENT_STATUS": "residence_status", "APPLICANT_TYPE": "applicant_type",
    "REGISTER": "compared_register",
    "DEST": "counterpart_area", "COUNTRY": "counterpart_area", "COO": "counterpart_area", "COA": "counterpart_area",
    "O": "counterpart_area", "D": "ref_area", "GOV": "ref_area", "SEX": "sex", "AGE4": "age",
}  # fmt: skip
MODELS = (REPOSITORY / "dbt_project/models/indicators").glob("ind_*.sql")
# The codes that a formula gives: each model names the indicators that it computes.
COMPUTED = {code for path in MODELS for code in re.findall(r"'([A-Z]\d\d)'", path.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def catalogue() -> dict[str, Indicator]:
    return load_indicators(DATA)


def test_every_code_of_the_design_is_there_and_no_other(catalogue: dict[str, Indicator]) -> None:
    expected = {f"{letter}{number:02}" for letter, last in CODES.items() for number in range(1, last + 1)}
    assert set(catalogue) == expected


@pytest.mark.parametrize("code", DIMENSIONS)
def test_every_dimension_of_the_design_has_its_column(catalogue: dict[str, Indicator], code: str) -> None:
    wanted = {COLUMNS[name] for name in DIMENSIONS[code].split()}
    assert wanted <= {*catalogue[code].dimensions, "ref_area"}


def test_every_breakdown_column_comes_from_the_design() -> None:
    assert set(breakdown_columns(DATA)) <= set(COLUMNS.values())
    assert set(COLUMNS.values()) - set(breakdown_columns(DATA)) == {"counterpart_area", "ref_area", "sex", "age"}


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
    assert computed == {code for code, one in catalogue.items() if one.publish} == COMPUTED
    for code in computed:
        assert contracts & set(catalogue[code].sources), f"{code}: no contract is called {catalogue[code].sources}"


def test_the_side_of_ref_area(catalogue: dict[str, Indicator]) -> None:
    assert (catalogue["A07"].ref_area_side, catalogue["A18"].ref_area_side) == ("origin", "destination")
    assert (catalogue["A12"].ref_area_side, catalogue["A11"].ref_area_side) == ("origin", "destination")
    assert catalogue["A11"].counterpart_area == "Country of origin"
    assert all(one.ref_area for one in catalogue.values())


def test_rows_hold_text_only_and_one_column_each(catalogue: dict[str, Indicator]) -> None:
    rows = [one.as_row(("fr", "ar", "en")) for one in catalogue.values()]
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert all(isinstance(value, str) for row in rows for value in row.values())
    assert [one.name for one in load_breakdowns(DATA)] == breakdown_columns(DATA) == sorted(breakdown_columns(DATA))
