"""`hims source check` and `hims source draft` on text at fixed places, with its codebook or dictionary."""

import duckdb
import pytest

from hims_pipeline.authoring.check import check_file, draft_contract
from hims_pipeline.contracts.load import load_contract
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_synthetic.formats import CsproRecord, Variable, write_cspro, write_fixed_width
from tests.readers.test_sent_files import AT_VARIABLE, IN_LINE, LINES, codebook

SEX = Variable("sex", 1, {"EN": "Sex"}, values={1: "Male", 2: "Female", 9: "?"}, special={9: "REFUSED"})
VARIABLES = (
    Variable("person", 4, zero_fill=True),
    SEX,
    Variable("income", 8, decimals=2),
    Variable("place", 10, numeric=False),
)
QUERY = """select i as person, 1 + i % 2 as sex, i * 3.25 as income, ['صفاقس', 'Gafsa'][1 + i % 2] as place
    from range(1, 60) as r(i)"""
ROWS = (Variable("house", 3),)


@pytest.fixture
def draft(tmp_path, monkeypatch):
    """draft(*files) -> the contract that was drafted of them, and its text."""
    monkeypatch.setenv("HIMS_HOME", str(tmp_path / "home"))

    def run(*files) -> tuple[Contract, str]:
        text = draft_contract(*files)
        name = next(line for line in text.splitlines() if line.startswith("source: ")).removeprefix("source: ")
        (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
        return load_contract(tmp_path / f"{name}.yml"), text

    return run


@pytest.fixture
def fixed(tmp_path):
    with duckdb.connect() as con:
        data = write_fixed_width(con, QUERY, tmp_path / "people.txt", VARIABLES, tmp_path / "people.xml")
    return data, tmp_path / "people.xml"


@pytest.fixture(params=[7, 8])
def census(tmp_path, request):
    house = CsproRecord(
        "HOUSE_REC", "1", "select 1 + i as house, 2 as rooms from range(9) as r(i)", (Variable("rooms", 1),)
    )
    people = CsproRecord("PERSON_REC", "2", f"select 1 + person % 9 as house, * from ({QUERY})", VARIABLES)
    with duckdb.connect() as con:
        data = write_cspro(con, tmp_path / "c.dat", tmp_path / "c.dcf", "C", ROWS, (house, people), request.param)
    return data, tmp_path / "c.dcf"


def test_a_draft_of_fixed_width_has_places_and_labels(draft, fixed, tmp_path, settings_for):
    contract, text = draft(*fixed)
    assert contract.format.codebook == "*.xml"
    columns = {column.name: column for column in contract.entities["records"].columns}
    assert (columns["income"].start, columns["income"].width, columns["income"].implied_decimals) == (6, 8, 2)
    assert (columns["income"].type, columns["sex"].codes) == ("decimal", {1: "Male", 2: "Female"})
    assert columns["sex"].missing == {9: "_U"}
    assert "label: Sex" in text
    settings = settings_for(tmp_path / "other")
    assert check_file(settings, contract, fixed) == []
    assert "ENVELOPE-MISSING-CODEBOOK" in "\n".join(check_file(settings, contract, fixed[:1]))


def test_a_draft_of_cspro_has_an_entity_a_record(draft, census, tmp_path, settings_for):
    contract, _ = draft(*census)
    assert {name: entity.format.record for name, entity in contract.entities.items()} == {
        "house": "HOUSE_REC",
        "person": "PERSON_REC",
    }
    columns = {column.name: column for column in contract.entities["person"].columns}
    assert [columns[name].type for name in ("person", "sex", "income", "place")] == [
        "integer",
        "integer",
        "decimal",
        "text",
    ]
    assert columns["sex"].missing == {9: "_R"}
    settings = settings_for(tmp_path / "other")
    assert check_file(settings, contract, census) == []
    census[0].write_bytes(census[0].read_bytes().replace(b"Gafsa", b"Gafsa" * 3, 1) + b"3\n")
    said = check_file(settings, contract, census)
    assert len([line for line in said if "ENVELOPE-RECORD-TYPE" in line]) == 1


def test_a_codebook_alone_is_no_data(draft, fixed):
    with pytest.raises(HimsError, match=r"people\.xml describes data; give the data file beside it"):
        draft(fixed[1])


def test_a_draft_of_filled_numbers_says_no_code_that_is_none(draft, tmp_path, settings_for):
    """Digits as they stand in the lines are no codes: 00012550 is 125.50."""
    income = Variable("income", 8, decimals=2, zero_fill=True, special={999999.99: "REFUSED"})
    query = "select i as person, [0, 125.5, 999999.99][1 + i % 3] as income from range(1, 60) as r(i)"
    people = CsproRecord("PERSON", "1", f"select 1 + person % 9 as house, * from ({query})", (VARIABLES[0], income))
    with duckdb.connect() as con:
        data = write_cspro(con, tmp_path / "c.dat", tmp_path / "c.dcf", "C", ROWS, (people,), 7)
    contract, _ = draft(data, tmp_path / "c.dcf")
    found = {column.name: column for column in contract.entities["person"].columns}["income"]
    assert (found.type, found.scale, found.codes) == ("decimal", 2, None)
    assert check_file(settings_for(tmp_path / "other"), contract, [data, tmp_path / "c.dcf"]) == []


def test_a_draft_has_an_entity_for_each_type_of_record_and_no_leading_zero_is_lost(draft, tmp_path, settings_for):
    data, book = tmp_path / "people.dat", tmp_path / "book.xml"
    data.write_bytes(LINES)
    book.write_bytes(codebook(AT_VARIABLE, *IN_LINE))
    contract, _ = draft(data, book)
    assert {name: one.format.record for name, one in contract.entities.items()} == {"household": "H", "person": "P"}
    columns = {column.name: column for column in contract.entities["person"].columns}
    assert {columns[name].type for name in ("SERIAL", "PERNUM", "AGE")} == {"integer"}
    assert check_file(settings_for(tmp_path / "other"), contract, [data, book]) == []
