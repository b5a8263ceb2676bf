"""What `hims source check` and `hims source draft` tell a person who writes a contract."""

import gzip

import duckdb
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from hims_pipeline.authoring.check import check_file, draft_contract
from hims_pipeline.contracts.load import load_contract
from hims_pipeline.errors import HimsError

COLUMNS = (
    {"name": "id", "type": "integer"},
    {"name": "sex", "type": "integer", "codes": {1: "Male", 2: "Female"}},
    {"name": "status", "codes": {"a": "A"}, "sensitivity": "sensitive"},
    {"name": "birth", "type": "date"},
)
GOOD = b"id,sex,status,birth\n1,1,a,2000-01-01\n2,2,a,\n"


@pytest.fixture
def check(tmp_path, contract_for, settings_for):
    """check(bytes, name) -> the sentences of `check_file` as one text; nothing is left behind."""

    def run(content: bytes, name: str = "people.csv", **changes) -> str:
        settings = settings_for(tmp_path / "home")
        (tmp_path / name).write_bytes(content)
        said = check_file(settings, contract_for(COLUMNS, **changes), [tmp_path / name], None)
        assert not list(settings.scratch.glob("inspect-*"))
        assert not (settings.identified / "rejects").exists()
        return "\n".join(said)

    return run


def test_a_file_that_fits_has_no_difference(check):
    assert check(GOOD) == ""
    assert check(gzip.compress(GOOD), "people.csv.gz") == ""


def test_codes_are_shown_only_where_they_may_be(check):
    said = check(GOOD + b"3,7,secret,\n4,7,other,\n5,8,a,\n")
    assert "sex: 2 codes that the contract does not list, in 3 rows: 7 (2), 8 (1)" in said
    assert "status: 2 codes that the contract does not list, in 2 rows" in said
    assert "secret" not in said


def test_types_that_do_not_fit_come_with_counts_and_lines(check):
    said = check(GOOD + b"x,1,a,\n1.5,1,a,2000-13-01\n")
    assert "id]: values are not a whole number: 1 a single letter, which may stand for no value" in said
    assert "1 with a decimal fraction" in said
    assert "(2 of 4 rows) First lines: 4, 5." in said
    assert "birth" in said


def test_a_header_that_differs_is_explained_and_the_rest_still_read(check):
    said = check(GOOD.replace(b"birth", b"birth_dt").replace(b"2,2", b"x,2"))
    assert "missing: 'birth'; not in the contract: 'birth_dt'" in said
    assert "'birth' may be called 'birth_dt' in the file" in said
    assert "read on with 3 of 4 columns" in said
    assert "id]: values are not a whole number" in said


def test_another_delimiter_and_encoding_are_guessed(check):
    assert "format.delimiter seems to be ';'" in check(GOOD.replace(b",", b";"))
    arabic = GOOD.replace(b"a", "منى بن علي".encode("cp1256"))
    assert "format.encoding seems to be 'windows-1256'" in check(arabic)


def test_another_name_is_said_and_the_nearest_entity_compared(check):
    said = check(GOOD, "persons.csv")
    assert "the name fits no entity of demo (people: people*); compared with people" in said
    assert "ENVELOPE-KIND" in check(b"%PDF-1.7", "people.csv")


@pytest.fixture
def draft(tmp_path, monkeypatch):
    """draft(path) -> the contract that the drafted YAML says, and its text."""
    monkeypatch.setenv("HIMS_HOME", str(tmp_path / "home"))

    def run(path):
        text = draft_contract(path)
        name = text.split("source: ")[1].split("\n")[0]
        (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
        return load_contract(tmp_path / f"{name}.yml"), text

    return run


def columns_of(contract) -> dict:
    [entity] = contract.entities.values()
    return {column.name: column for column in entity.columns}


def test_a_draft_of_a_text_decides_types_over_the_whole_file(draft, tmp_path):
    rows = [f"{n};{n % 3 + 1};{n:04d};{n}.5;0{n % 9 + 1}/12/2020;Ali {n};{n if n % 2 else 'NA'};\n" for n in range(60)]
    path = tmp_path / "People 2024.csv"
    path.write_text("id;sex;cin;w;day;first_name;age;empty\n" + "".join(rows), encoding="cp1252")
    contract, _ = draft(path)
    assert contract.source == "people_2024"
    assert contract.format.delimiter == ";"
    assert contract.format.null_values == ("", "NA")
    found = columns_of(contract)
    kinds = {name: (column.type, column.sensitivity) for name, column in found.items()}
    assert kinds["id"] == kinds["sex"] == kinds["age"] == ("integer", "quasi")
    assert (kinds["cin"][1], kinds["first_name"][1]) == ("identifier", "free_text")
    assert (kinds["w"][0], kinds["day"][0], found["day"].date_format) == ("decimal", "date", "%d/%m/%Y")
    assert found["sex"].codes == {1: "?", 2: "?", 3: "?"}
    assert found["empty"].may_be_empty
    assert contract.entities["people_2024"].key == ("id",)


def test_the_last_row_can_change_a_type(draft, tmp_path):
    path = tmp_path / "late.csv"
    path.write_text("a,b\n" + "1,x\n" * 50 + "1.25,y\n")
    assert columns_of(draft(path)[0])["a"].type == "decimal"


def test_a_draft_fits_its_own_file(draft, tmp_path, settings_for):
    path = tmp_path / "made.csv"
    path.write_bytes('\ufeffh,k,código,v\r\n1,1,007,"1,5"\r\n1,2,008,"2,25"\r\n'.encode())
    contract, _ = draft(path)
    assert contract.format.decimal == ","
    assert columns_of(contract)["código"].type == "text"
    assert contract.entities["made"].key
    assert check_file(settings_for(tmp_path / "home"), contract, [path]) == []


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_labels_come_along(draft, tmp_path, kind):
    frame = pd.DataFrame({"id": range(20), "sex": [1.0, 2.0, 9.0, 1.0] * 5})
    labels = {"variable_value_labels": {"sex": {1: "Male", 2: "Female", 9: "None"}}, "column_labels": {"sex": "Sex"}}
    path = tmp_path / f"labelled.{kind}"
    if kind == "sav":
        pyreadstat.write_sav(frame, str(path), missing_ranges={"sex": [9]}, **labels)
    else:
        pyreadstat.write_dta(frame, str(path), **(labels | {"column_labels": ["", "Sex"]}))
    sex = columns_of(draft(path)[0])["sex"]
    assert (sex.label, sex.codes[1], sex.codes[2]) == ("Sex", "Male", "Female")
    assert (sex.missing if kind == "sav" else sex.codes) == (
        {9: "_U"} if kind == "sav" else {1: "Male", 2: "Female", 9: "None"}
    )


def test_drafts_of_parquet_and_excel(draft, tmp_path):
    with duckdb.connect() as con:
        con.execute(
            f"copy (select i as id, i % 2 + 1.0::double as sex, timestamp '2024-01-02' as day from range(30) t(i)) "
            f"to '{tmp_path}/typed.parquet' (format parquet)"
        )
    found = columns_of(draft(tmp_path / "typed.parquet")[0])
    assert (found["sex"].type, found["sex"].allow, found["day"].date_format) == (
        "integer",
        ("zero_fraction",),
        "%Y-%m-%d",
    )
    book = openpyxl.Workbook()
    for row in (["A title"], [], ["id", "n"], [1, 2.5], [2, 3]):
        book.active.append(row)
    book.save(tmp_path / "sheet.xlsx")
    contract, _ = draft(tmp_path / "sheet.xlsx")
    assert contract.format.skip_rows == 2
    assert columns_of(contract)["n"].type == "decimal"


def test_what_no_reader_opens_says_so(draft, tmp_path):
    for content, words in (
        (b"%PDF", "PDF"),
        (b"", "empty"),
        (b"a,,c\n1,2,3\n", "no name"),
        (b"a,a\n1,2\n", "share a name"),
    ):
        path = tmp_path / "file.csv"
        path.write_bytes(content)
        with pytest.raises(HimsError, match=words):
            draft_contract(path)


def test_a_draft_lists_letters_and_ranges_under_missing(draft, tmp_path):
    frame = pd.DataFrame({"x": [1, 2, 3, "a", "h"]}, dtype=object)
    pyreadstat.write_dta(frame, str(tmp_path / "letters.dta"), missing_user_values={"x": ["a", "h"]})
    column = columns_of(draft(tmp_path / "letters.dta")[0])["x"]
    assert (column.type, column.codes, column.missing) == ("integer", None, {"a": "_U", "h": "_U"})
    frame = pd.DataFrame({"age": [34.0, -8.0, 997.0]})
    labels = {"age": {-8: "refused"}}
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "ranges.sav"),
        missing_ranges={"age": [{"lo": -9, "hi": -7}, 997]},
        variable_value_labels=labels,
    )
    column = columns_of(draft(tmp_path / "ranges.sav")[0])["age"]
    assert column.codes is None
    assert column.absent.reason("x").count("_U") == 2


def test_numbers_of_which_a_few_have_a_label_stay_numbers(draft, tmp_path):
    frame = pd.DataFrame({"id": range(90), "age": [*map(float, range(18, 106)), 998.0, 999.0]})
    labels = {"age": {105: "105 and more", 998: "Refused", 999: "Don't know", -1: "Missing"}}
    pyreadstat.write_sav(frame, str(tmp_path / "age.sav"), variable_value_labels=labels)
    column = columns_of(draft(tmp_path / "age.sav")[0])["age"]
    assert (column.type, column.codes) == ("integer", None)
    assert column.missing == {998: "_U", 999: "_U", -1: "_U"}


def test_a_draft_s_null_word_empties_no_other_column(draft, tmp_path):
    (tmp_path / "stock.csv").write_text("iso2,persons\nMA,12\nNA,35\nNE,NA\nTN,4\n")
    contract, _ = draft(tmp_path / "stock.csv")
    columns = columns_of(contract)
    assert contract.format.null_values == ("",)
    assert (columns["iso2"].null_values, columns["persons"].null_values) == (None, ("", "NA"))


DRAFTED = {
    "titles above the table": (
        "stock.csv",
        b'"Extracted from ""a"" database","of us"\n"Date: 2017-08-19"\n\nYear,Origin,Value\n'
        b"2016,Syria,507\n2016,Iraq,*\n2016,Sudan,\n2015,Eritrea,0\n",
        {"skip_rows": 3},
        {"Value": {"type": "integer", "missing": {"*": "_U"}}},
    ),
    "Eurostat's own": (
        "migr.tsv",
        b"freq,geo\\TIME_PERIOD\t2021 \t2022 \nA,FR\t: c\t12345 b\nA,IT\t: \t10411 bep\nA,DE\t: z\t0 n\n",
        {"type": "eurostat_tsv"},
        {"OBS_VALUE": {"type": "integer", "null_values": ("", ":")}},
    ),
    "SDMX-CSV": (
        "sdmx.csv",
        b"DATAFLOW,geo,TIME_PERIOD,OBS_VALUE\nA:B(1.0),FR,2021,5\nA:B(1.0),IT,2021,6\n",
        {"type": "sdmx_csv"},
        {"OBS_VALUE": {"type": "integer"}},
    ),
    "a year a column": (
        "wide.csv",
        b'"Data","World",\n\n"Country","Code","2021","2022",\n"Namibia","NAM","5","6",\n"Turkiye","TUR","7","",\n',
        {"skip_rows": 2, "trailing_delimiter": True},
        {"year": {"type": "integer"}, "value": {"type": "integer"}},
    ),
    "numbers spelt otherwise": (
        "spelt.csv",
        "gov;pop;rate\nTunis;1\u202f056\u202f247;12,5 %\nTozeur;٩٨٥٠٠;٥٫٢ %\n".encode(),
        {"decimal": ","},
        {"pop": {"type": "integer", "allow": ("digit_groups", "arabic_digits")}, "rate": {"type": "decimal"}},
    ),
}


@pytest.mark.parametrize("what", DRAFTED)
def test_a_draft_takes_the_file_that_it_was_made_from(draft, tmp_path, settings_for, what):
    name, content, form, columns = DRAFTED[what]
    path = tmp_path / name
    path.write_bytes(content)
    contract, _ = draft(path)
    for key, value in form.items():
        assert getattr(contract.format, key) == value, key
    found = columns_of(contract)
    for column, said in columns.items():
        for key, value in said.items():
            assert getattr(found[column], key) == value, (column, key)
    assert check_file(settings_for(tmp_path / "home"), contract, [path]) == []


def test_a_draft_that_cannot_be_made_shows_no_line_of_the_file(draft, tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_bytes(b"a,b\n1,2\n3,4\nFatma Ben Salah\n5,6\n")
    with pytest.raises(HimsError) as refused:
        draft(path)
    assert "do not have the 2 fields" in str(refused.value)
    assert "Fatma" not in str(refused.value)


def test_a_first_line_that_is_no_header_is_not_repeated(draft, tmp_path):
    path = tmp_path / "bare.csv"
    path.write_bytes(b"Fatma,12,12\nAli,13,14\n")
    with pytest.raises(HimsError, match="columns 2, 3 share a name"):
        draft(path)


def test_a_file_beside_the_data_is_not_compared_with_what_another_file_is(tmp_path, contract_for, settings_for):
    (tmp_path / "people.csv").write_bytes(GOOD)
    (tmp_path / "README.txt").write_bytes(b"How to read this.")
    said = check_file(settings_for(tmp_path / "home"), contract_for(COLUMNS), [*tmp_path.glob("*.*")], None)
    assert said == ["README.txt: the name fits no entity of demo (people: people*)"]
