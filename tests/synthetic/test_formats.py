"""What the writers of the synthetic sample write is what other programs, and our readers, read."""

import datetime as dt
from decimal import Decimal

import duckdb
import openpyxl
import pyreadstat
import pytest
import python_calamine

from hims_synthetic.formats import write_spss, write_workbook


@pytest.fixture
def con():
    with duckdb.connect() as con:
        yield con


ROWS = [
    ['Visas délivrés <2024> & "autres"'],
    [],
    ["Pays", None, "Total", "الجنسية"],
    ["Mali", dt.date(2024, 2, 29), 12, "مالي"],
    [" Libye ", dt.datetime(1999, 12, 31, 6, 0), Decimal("3.50"), True],
]


def test_a_workbook_is_what_excel_libraries_read(tmp_path):
    path = write_workbook(tmp_path / "a/made.xlsx", "Données & co", ROWS, {"2": [[1.25] * 30]})
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Données & co", "2"]
    cells = [[cell.value for cell in row] for row in book["Données & co"].iter_rows()]
    assert cells[0][0] == ROWS[0][0]
    assert cells[3] == ["Mali", dt.datetime(2024, 2, 29), 12, "مالي"]
    assert cells[4] == [" Libye ", dt.datetime(1999, 12, 31, 6), 3.5, True]
    assert book["2"]["AD1"].value == 1.25
    seen = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Données & co").to_python()
    assert seen[3] == ["Mali", dt.date(2024, 2, 29), 12.0, "مالي"]


def test_the_same_rows_are_the_same_workbook(tmp_path):
    one, two = (write_workbook(tmp_path / f"{n}.xlsx", "s", ROWS).read_bytes() for n in "ab")
    assert one == two


SPSS = """select * from (values (1::bigint, 'M', date '1990-05-01', 1.25::decimal(9, 2), true, 'Sfax'),
    (null, 'F', null, null, null, null), (99, 'F', date '2001-01-31', 7, false, 'قفصة'))
    as t(q1, sex, born, weight, flag, place)"""


def test_an_spss_file_keeps_labels_days_and_missing_codes(tmp_path, con):
    path = write_spss(
        con,
        SPSS,
        tmp_path / "a/made.sav",
        value_labels={"q1": {1: "Oui", 99: "لا يعرف"}, "sex": {"M": "Masculin"}},
        labels={"q1": "A déjà migré"},
        missing={"q1": [99]},
    )
    frame, meta = pyreadstat.read_sav(str(path), user_missing=True)
    assert frame["q1"].tolist()[0] == 1
    assert frame["q1"].isna().tolist() == [False, True, False]
    assert frame["born"].tolist()[::2] == [dt.date(1990, 5, 1), dt.date(2001, 1, 31)]
    assert frame["born"].isna().tolist() == [False, True, False]
    assert frame["place"].tolist() == ["Sfax", "", "قفصة"]
    assert frame["flag"].tolist()[::2] == [1.0, 0.0]
    assert meta.variable_value_labels == {"q1": {1.0: "Oui", 99.0: "لا يعرف"}, "sex": {"M": "Masculin"}}
    assert meta.missing_ranges["q1"] == [{"lo": 99.0, "hi": 99.0}]
    assert meta.column_names_to_labels["q1"] == "A déjà migré"


def test_the_same_query_is_the_same_spss_file(tmp_path, con):
    one = write_spss(con, SPSS, tmp_path / "a.sav").read_bytes()
    assert b"01 Jan 2400:00:00" in one[:120]
    assert write_spss(con, SPSS, tmp_path / "b.sav").read_bytes() == one
