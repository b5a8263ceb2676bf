"""A draft loads and takes the file that it was made from, whatever the format; what cannot be taken, it says.

Quick: a file of every format. With real data at hand: every public file that a reader opens, and every kind of file of
the synthetic country.
"""

import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from hims_pipeline.authoring.check import check_file, draft_contract
from hims_pipeline.authoring.draft import NO_DATA
from hims_pipeline.contracts.load import load_contract
from hims_pipeline.errors import HimsError
from hims_pipeline.readers.files.signatures import kind_of
from hims_pipeline.settings import load_settings
from hims_synthetic.samples import make_tree
from tests.readers.corpus import TWINS
from tests.readers.corpus.made import zipped
from tests.readers.test_second_look import merge, sheet, spss

BOOKS = (".dcf", ".xml")
OF_EVERY_FORMAT = (
    "csv", "windows-1256", "utf-16", "newlines", "years", "gzip", "eurostat", "sdmx 2.0", "ddi", "types", "cspro",
    "csdb", "xlsx", "ods", "sav", "por", "dta", "old dta", "parquet",
)  # fmt: skip


@pytest.fixture
def drafted(tmp_path, monkeypatch):
    """drafted({name: bytes}) -> what `check` says of the files under the contract that was drafted, and its text."""
    monkeypatch.setenv("HIMS_HOME", str(tmp_path / "home"))

    def run(files: dict[str, bytes]) -> tuple[list[str], str]:
        folder = tmp_path / "sent"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return judge([folder / name for name in files], tmp_path)

    return run


def judge(paths: list[Path], folder: Path) -> tuple[list[str], str]:
    text = draft_contract(*paths)
    name = text.split("source: ")[1].split("\n")[0]
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    contract = load_contract(folder / f"{name}.yml")
    forms = {contract.format_in(one, "").type for one in contract.entities}
    for_the_draft_alone = BOOKS if forms == {"delimited"} else ()
    sent = [path for path in paths if not path.name.endswith(for_the_draft_alone)]
    return check_file(load_settings(), contract, sent), text


@pytest.mark.parametrize("twin", OF_EVERY_FORMAT)
def test_a_draft_takes_a_file_of_every_format(drafted, twin):
    assert drafted(TWINS[twin].files)[0] == []


def test_what_a_draft_cannot_tell_is_a_sentence_without_a_row(drafted):
    with pytest.raises(HimsError) as raised:
        drafted(TWINS["titled"].files)  # notes below, which are no records of the table
    assert not re.search("Ali|office", str(raised.value))


def test_every_member_of_an_archive_is_an_entity(drafted):
    files = {
        "q/people.csv": b"id,age\n1,30\n2,41\n",
        "q/people.txt": b"id;n\n1;3\n",
        "houses.csv": b"hh,rooms\n7,2\n8,3\n",
    }
    said, text = drafted({"sent.zip": zipped(files | {"read.pdf": b"%PDF-1.7"})})
    assert "read.pdf is a PDF document and no data" in text
    assert {"people:", "people_2:", "houses:"} <= set(text.split())
    assert [one for one in said if "read.pdf" not in one] == []


def test_a_codebook_gives_labels_to_delimited_text(drafted):
    book = (
        b'<codeBook xmlns="ddi:codebook:2_5"><dataDscr><var name="sex"><labl>Sex</labl><catgry><catValu>1</catValu>'
        b'<labl>Male</labl></catgry><catgry><catValu>2</catValu><labl>Female</labl></catgry></var><var name="age">'
        b'<labl>Age</labl><invalrng><range min="998" max="999"/></invalrng></var></dataDscr></codeBook>'
    )
    said, text = drafted({"people.csv": b"id,sex,age\n1,1,30\n2,1,998\n", "book.xml": book})
    assert said == []
    assert "1: Male, 2: Female" in text
    assert "998..999: _U" in text


def test_labels_of_codes_within_a_range_of_missing_ones_are_no_news(drafted, tmp_path):
    frame = pd.DataFrame({"n": [1.0, 2.0, 3.0], "moved": [5.0, 97.0, 98.0]})
    labels = {"moved": {5: "five", 97: "inconsistent", 98: "not known"}}
    content = spss(tmp_path, frame, variable_value_labels=labels, missing_ranges={"moved": [{"lo": 97, "hi": 98}]})
    said, text = drafted({"dhs.sav": content})
    assert said == []
    assert "97..98: _U" in text


def test_lists_in_parquet_are_left_unread(drafted, tmp_path):
    with duckdb.connect() as con:
        con.execute(
            f"copy (select i as id, [i] as parts, {{'a': i}} as box from range(9) t(i)) to '{tmp_path}/a.parquet'"
        )
    said, text = drafted({"people.parquet": (tmp_path / "a.parquet").read_bytes()})
    assert said == []
    assert "2 columns hold lists or structures, and are left unread" in text


def test_titles_that_a_sheet_saved_as_text_fills_with_commas(drafted):
    said, text = drafted(
        {"people.csv": b"Extracted in May,,\nDate,2024-01-01,\n,,\nyear,origin,n\n2020,MA,1\n2021,MA,2\n"}
    )
    assert said == []
    assert "skip_rows: 3" in text


def test_names_that_differ_in_case_alone_are_read_once(drafted):
    said, text = drafted({"people.csv": b"id,sex,Sex\n1,F,Female\n2,M,Male\n"})
    assert said == []
    assert "1 columns have names that differ" in text


def test_a_header_over_several_lines_and_notes_within_quotes(drafted):
    assert drafted({"people.csv": b'"id\n(number)",note\n1,"a\nb"\n2,"c\nd"\n'})[0] == []


def test_a_text_without_its_last_newline_is_drafted_so(drafted):
    said, text = drafted({"people.csv": b"id,n\n1,2\n2,3"})
    assert said == []
    assert "final_newline: false" in text


def test_notes_below_a_sheet_are_proposed_to_be_notes(drafted):
    rows = [["id", "n"], [1, 2], [2, 3], [None, None], ["Source: an office", None]]
    said, text = drafted({"made.xlsx": sheet(rows)})
    assert said == []
    assert "stop_at_blank: true" in text


# --- Files that hold more than plain values ---------------------------------------------------------------------------
def test_errors_in_cells_are_proposed_to_be_nothing_and_said(drafted):
    rows = [["gov", "population"], ["Tunis", "#REF!"], ["Ariana", "#DIV/0!"], ["Sousse", 350], ["Gabes", None]]
    said, text = drafted({"errors.xlsx": sheet(rows)})
    assert said == []
    assert "null_values: ['', '#DIV/0!', '#REF!']" in text
    assert "# To decide: cells hold errors" in text


def test_merged_cells_and_hidden_rows_are_proposed_and_said(drafted):
    rows = [
        ["region", "name", "n"],
        ["NE", "a", 1],
        ["", "b", 2],
        ["", "c", 3],
        ["S", "d", 4],
        ["", "e", 5],
        ["T", "f", 6],
    ]

    def change(page):
        merge(page)
        page.row_dimensions[7].hidden = True

    said, text = drafted({"made.xlsx": sheet(rows, change)})
    assert said == []
    assert "hidden_rows: skip, fill_down: [region]" in text
    assert text.count("# To decide: ") == 2


def test_days_beyond_the_calendar_are_dates_that_refuse_the_file(drafted, tmp_path):
    frame = pd.DataFrame({"pid": [1.0, 2.0], "day": [13_166_064_000.0, 6_306_000_000_000.0]})
    said, text = drafted({"days.sav": spss(tmp_path, frame, variable_format={"day": "DATE11"})})
    assert "column day holds days that no calendar has" in text
    assert [one.split(" ")[0] for one in said] == ["TYPES-DATE"]


def test_cards_stored_as_floats_are_identifiers_that_refuse_the_file(drafted, tmp_path):
    said, text = drafted({"cards.sav": spss(tmp_path, pd.DataFrame({"cin": [7654321.0, 87654322.0]}))})
    assert "sensitivity: identifier" in text
    assert [one.split(" ")[0] for one in said] == ["ENVELOPE-IDENTIFIER"]


# --- Everything at hand -----------------------------------------------------------------------------------------------
def public_files() -> list[Path]:
    folder = load_settings().real_data
    if folder is None:
        return []
    suffixes = (".csv", ".gz", ".xlsx", ".parquet", ".dta", ".sav", ".zip", ".txt", ".tsv")
    return sorted(path for path in folder.rglob("*") if path.name.endswith(suffixes) and kind_of(path) not in NO_DATA)


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("path", public_files(), ids=lambda path: path.name)
def test_a_draft_takes_a_public_file(path, tmp_path, monkeypatch):
    monkeypatch.setenv("HIMS_HOME", str(tmp_path / "home"))
    try:
        said, _ = judge([path], tmp_path)
    except HimsError as error:
        said = [str(error)]
        assert path.name in said[0]
        assert "our reader stopped" not in said[0]
    else:
        assert said == []


@pytest.mark.slow
@pytest.mark.real_data
def test_a_draft_takes_a_file_of_every_source_of_the_synthetic_country(tmp_path, monkeypatch):
    """The first delivery of each, with its codebook."""
    monkeypatch.setenv("HIMS_HOME", str(tmp_path / "home"))
    make_tree(load_settings(), tmp_path / "made", 1, 0.001, lambda text: None)
    for source in sorted((tmp_path / "made/deliveries").iterdir()):
        files = sorted(min(source.iterdir()).iterdir())
        books = [path for path in files if path.name.endswith(BOOKS)]
        for path in files:
            if path not in books and (path.suffix != ".csv" or len(path.read_bytes().splitlines()) > 1):
                assert judge([path, *books], tmp_path)[0] == [], path.name


@pytest.mark.parametrize("twin", ["csv", "sav", "dta", "parquet", "xlsx"])
def test_a_file_of_which_nothing_may_leave_the_zone_is_counted(drafted, tmp_path, twin):
    drafted(TWINS[twin].files)
    (written,) = tmp_path.glob("*.yml")
    value = yaml.safe_load(written.read_text(encoding="utf-8"))
    for entity in value["entities"].values():
        entity["columns"] = [{"name": one["name"], "sensitivity": "free_text"} for one in entity["columns"]]
        for name in ("key", "feeds", "period"):
            entity.pop(name, None)
        entity["period"] = {"none": "nothing is read"}
    written.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")
    assert check_file(load_settings(), load_contract(written), sorted((tmp_path / "sent").iterdir())) == []


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ("gov;pop\nTunis;1,056,247\nAriana;576,088\n", "type: integer, allow: [mark_groups]"),
        ("gov;pop;r\nTunis;1.056.247;1,5\nAriana;576.088;2,5\nSfax;9;1,25\n", "type: integer, allow: [mark_groups]"),
        ("gov,net\nTunis,\u2212123\nAriana,5\n", "allow: [minus_sign]"),
        ("sep=;\ngov;pop\nTunis;1\nAriana;2\n", "skip_rows: 1"),
        ("id,day\n1,05-JAN-2024\n2,31-DEC-1999\n", "date_format: '%d-%b-%Y'"),
        ("id,day\n1,05/01/45\n2,31/12/99\n", "{name: day, type: text"),
        ("id,house\n1,12 b\n2,Villa Rosa\n", "{name: house, type: text"),
        ("id,here\n1,true\n2,false\n", "type: boolean"),
        ("id,n\n12345678901234567890,1\n2,2\n", "{name: id, type: text"),
        ("id,n\n1,5\n2,6\n\n", "stop_at_blank: true"),
    ],
)
def test_what_senders_write_otherwise_is_drafted_so(drafted, content, written):
    said, text = drafted({"made.csv": content.encode()})
    assert said == []
    assert written in text


def test_a_blank_line_within_a_table_is_told_in_a_draft(drafted):
    with pytest.raises(HimsError, match="lines are blank"):
        drafted({"made.csv": b"id,n,m\n1,5,6\n\n2,6,7\n"})


def test_rows_that_are_all_hidden_are_drafted_as_rows(drafted):
    def hide(page):
        for number in (2, 3):
            page.row_dimensions[number].hidden = True

    said, text = drafted({"made.xlsx": sheet([["id", "n"], [1, 2], [2, 3]], hide)})
    assert said == []
    assert "hidden_rows: read" in text


def test_no_draft_is_made_of_a_header_alone(drafted, tmp_path):
    with pytest.raises(HimsError, match="holds no rows"):
        drafted({"header.sav": spss(tmp_path, pd.DataFrame({"id": [1.0]}).iloc[:0])})
    with pytest.raises(HimsError, match="holds no rows"):
        drafted({"header.csv": b"a;b\n"})


def numbered(header: str, row: str) -> bytes:
    """Sixty lines below a header; `{i}` is the number of each, `{m}` what remains of it by two."""
    return "".join([header + "\n", *(row.format(i=i, m=i % 2) + "\n" for i in range(1, 61))]).encode()


@pytest.mark.parametrize("name", ["data[1].csv", "what?.csv", "a*b.csv", "People (1) final.CSV", "سكان.csv"])
def test_a_file_of_any_name_is_taken_by_its_draft(drafted, name):
    assert drafted({name: numbered("id,sex", "{i},{m}")})[0] == []


@pytest.mark.parametrize(
    ("header", "row", "words"),
    [
        ("id,place", "{i},A{m} ", "allow: [padding], codes: {A0: '?', A1: '?'}"),
        ("id,_line,_batch,x__missing", "{i},1,2,3", "3 columns have names that differ from others in case alone, or"),
        ("id,day", "{i},1{m}/1{m}/2024", "day and month exchanged"),
    ],
)
def test_what_a_person_must_look_at_is_told_and_the_file_taken(drafted, header, row, words):
    said, text = drafted({"people.csv": numbered(header, row)})
    assert said == []
    assert words in text


def test_days_past_the_twelfth_tell_their_order(drafted):
    text = drafted({"people.csv": numbered("id,day", "{i},2{m}/01/2024")})[1]
    assert "'%d/%m/%Y'" in text
    assert "exchanged" not in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (numbered("id,re\u0301gion", "{i},{m}"), "name: région"),
        (numbered("id,n", "{i},{m}") + b",\n , \n", "stop_at_blank: true"),
        (numbered("id age", "{i} {m}"), "text with another delimiter, or at fixed places"),
    ],
)
def test_what_a_file_s_letters_and_ends_and_width_show(drafted, content, words):
    said, text = drafted({"people.csv": content})
    assert said == []
    assert words in text


def fill(page) -> None:
    for number in range(3):
        page.append([number, "x"])


def test_other_sheets_with_cells_are_told_and_the_one_that_is_read_is_named(drafted):
    rows = [["id", "sex"], *([i, "MF"[i % 2]] for i in range(30))]
    content = sheet(rows, lambda page: fill(page.parent.create_sheet("Houses")))
    assert "sheet: " not in drafted({"alone.xlsx": sheet(rows)})[1]
    said, text = drafted({"people.xlsx": content})
    assert said == []
    assert "1 other sheets hold cells and are not read: Houses" in text
    assert re.search(r"sheet: \w+", text)


def test_two_members_of_one_name_are_told(drafted):
    content = zipped({f"{folder}/p.csv": numbered("id,sex", "{i},{m}") for folder in "ab"})
    assert "2 files are called p.csv" in drafted({"sent.zip": content})[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Fatma Ben Salah,12,2001-01-02\n" + numbered("Ali,1,2001-01-03", "Ali {i},{i},2000-01-01"), "to be a row"),
        (b"1,M,34\n" + numbered("2,F,30", "{i},F,{m}"), "to be a row"),
        (numbered("000011012345", "00001{i}"), "to be a row"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "an XML document"),
        (b"id,,sex\n1,2,M\n", "column 2 has no name"),
        (b"id,n\n1,\0\n", "NUL"),
        (b'[{"id": 1, "name": "Fatma"}]\n', "a JSON document"),
        (b"INSERT INTO people VALUES (1, 'Fatma');\n", "SQL statements"),
        (zipped({"[Content_Types].xml": b"", "word/document.xml": b""}), "a document of Word"),
    ],
)
def test_what_no_draft_is_made_of_is_called_what_it_is(drafted, content, words):
    with pytest.raises(HimsError, match=words) as raised:
        drafted({"people.csv": content})
    assert "Fatma" not in str(raised.value)


@pytest.mark.parametrize("header", ["gov,0,1,2", "gov,0,5,10", "gov,2022,2023,2025"])
def test_headings_that_are_numbers_are_a_header(drafted, header):
    assert drafted({"people.csv": numbered(header, "place {i},{i},{m},3")})[0] == []
