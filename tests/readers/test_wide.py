"""Tables made for people: headers of several rows, notes below, matrices. And how they break."""

import pytest

from hims_pipeline.contracts.formats import Format
from hims_pipeline.readers.files.headings import joined_names
from tests.readers.test_formats import workbook

TWO_ROWS = [
    {"name": "region", "sent": "Region"},
    {"name": "men", "sent": "2020 / Men"},
    {"name": "women", "sent": "2020 / Women"},
    {"name": "total", "sent": "Total"},
]
MATRIX = (
    {"name": "destination", "required": True},
    {"name": "origin", "required": True, "codes": {"AA": "A", "BB": "B", "All": "All"}},
    {"name": "persons", "type": "integer", "minimum": 0},
)
UNPIVOT = {"names": "origin", "values": "persons"}
SHEET = [
    ["Stocks, 2020"],
    ["to \\ from", "AA", "BB", "All"],
    ["AA", 0, 1, 1],
    ["BB", 2, None, 2],
    [],
    ["Notes:"],
    ["Estimates of a note."],
]


def read_matrix(read, rows, **form):
    form = {"type": "excel", "skip_rows": 1, "stop_at_blank": True, "unpivot": UNPIVOT} | form
    layouts = [{"name": "wide", "periods": ["2024"], "entities": {"people": {"names": {"destination": "to \\ from"}}}}]
    return read({"people.xlsx": workbook(rows)}, MATRIX, format=form, layouts=layouts)


def read_two_rows(read, rows):
    columns = [{"name": c["name"], "type": "text" if c["name"] == "region" else "integer"} for c in TWO_ROWS]
    names = {c["name"]: c["sent"] for c in TWO_ROWS}
    layouts = [{"name": "two", "periods": ["2024"], "entities": {"people": {"names": names}}}]
    form = {"type": "excel", "skip_rows": 1, "header_rows": 2}
    return read({"people.xlsx": workbook(rows)}, columns, format=form, layouts=layouts)


HEADED = [["Title"], ["Region", "2020", None, "Total"], [None, "Men", "Women", None], ["North", 1, 2, 3]]


def test_merged_headings_go_on_to_the_right(read):
    seen = read_two_rows(read, HEADED)
    assert seen.findings == ()
    assert seen.rows() == [("North", 1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([["a", "", "b"], ["x", "y", ""]], ["a / x", "a / y", "b"]),
        ([["a", "", ""], ["", "x", "y"]], ["a", "x", "y"]),
        (
            [["a", "", "", "b"], ["x", "", "y", "z"], ["1", "2", "1", "1"]],
            ["a / x / 1", "a / x / 2", "a / y / 1", "b / z / 1"],
        ),
        ([["a"], ["x", "y"]], ["a / x", "a / y"]),
    ],
)
def test_names_are_joined_from_above(lines, names):
    assert joined_names(lines) == names


@pytest.mark.parametrize(
    "rows",
    [
        HEADED[1:],  # the title is missing
        [["Title"], [], *HEADED[1:]],  # the header is shifted down
        [*HEADED[:1], ["Region", None, "2020", "Total"], *HEADED[2:]],  # shifted to the right
        [*HEADED[:2], *HEADED[3:]],  # its second row is missing
    ],
)
def test_a_header_that_moved_is_refused(read, rows):
    assert read_two_rows(read, rows).rules == ["ENVELOPE-HEADER"]


def test_a_matrix_becomes_rows_and_notes_are_none(read):
    seen = read_matrix(read, SHEET)
    assert seen.findings == ()
    assert seen.rows() == [
        ("AA", "AA", 0, 3),
        ("AA", "BB", 1, 3),
        ("AA", "All", 1, 3),
        ("BB", "AA", 2, 4),
        ("BB", "BB", None, 4),
        ("BB", "All", 2, 4),
    ]


@pytest.mark.parametrize(
    ("rows", "rule", "said"),
    [
        (SHEET[1:], "ENVELOPE-HEADER", ""),
        ([["Stocks"], ["from \\ to", *SHEET[1][1:]], *SHEET[2:]], "ENVELOPE-HEADER", "none of the contract's names"),
        ([SHEET[0], ["to \\ from", "AA", "BB", "AA"], *SHEET[2:]], "ENVELOPE-HEADER", "named twice: 'AA'"),
        ([SHEET[0], ["to \\ from", "AA", None, "All"], *SHEET[2:]], "ENVELOPE-HEADER", "1 of 3 headings are blank"),
        ([SHEET[0], ["to \\ from"], ["AA"]], "ENVELOPE-HEADER", "0 of 0"),
        ([*SHEET[:3], ["BB", "n.a.", 1, 2], *SHEET[4:]], "TYPES-INTEGER", "in the columns headed 'AA'"),
        ([*SHEET[:3], ["BB", 1.5, 1, 2.5], *SHEET[4:]], "TYPES-INTEGER", "'AA', 'All'"),
        ([*SHEET[:3], [], *SHEET[3:]], "ENVELOPE-BLANK-LINE", "row 5 looks like more of the table"),
        ([*SHEET[:3], ["BB", 1, 2, 3, 4]], "ENVELOPE-COLUMNS", ""),
        (SHEET[:2], "ENVELOPE-ROWS", ""),
    ],
)
def test_a_matrix_that_is_not_as_agreed_is_refused(read, rows, rule, said):
    seen = read_matrix(read, rows)
    assert seen.rules == [rule]
    assert said in seen.text


def test_a_note_inside_the_table_has_no_figures(read):
    """It reaches the gate as rows of an unknown code, and a row without its code as rows without one: refused there."""
    seen = read_matrix(read, [*SHEET[:3], ["of which estimated"], *SHEET[3:]])
    assert [row[:3] for row in seen.rows()[3:6]] == [("of which estimated", c, None) for c in ("AA", "BB", "All")]
    assert read_matrix(read, [*SHEET[:3], [None, 1, 2, 3]]).rows()[3] == (None, "AA", 1, 4)


DELIMITED = "sex,dest,Y2000,Y1990\nM,FRA,1,2\nF,FRA,,4\n"
WIDE_TEXT = (
    {"name": "sex"},
    {"name": "dest"},
    {"name": "year", "codes": {"Y2000": "2000", "Y1990": "1990"}},
    {"name": "n", "type": "integer"},
)


def read_text(read, text, **changes):
    form = {"unpivot": {"names": "year", "values": "n"}}
    return read({"people.csv": text.encode()}, WIDE_TEXT, format=form, **changes)


@pytest.mark.parametrize("text", [DELIMITED, DELIMITED.replace("M,FRA", 'M,"FR\nA"').replace("FR\nA", "FRA\n")])
def test_a_wide_text_becomes_rows(read, text):
    seen = read_text(read, text)
    assert seen.findings == ()
    rows = [(sex, dest.strip(), year, n, line) for sex, dest, year, n, line in seen.rows()]
    assert rows == [
        ("M", "FRA", "Y2000", 1, 2),
        ("M", "FRA", "Y1990", 2, 2),
        ("F", "FRA", "Y2000", None, 3),
        ("F", "FRA", "Y1990", 4, 3),
    ]


def test_a_wide_text_that_does_not_fit_says_where(read):
    seen = read_text(read, DELIMITED.replace("F,FRA,,4", "F,FRA,x,4\nF,ITA,1"))
    assert seen.rules == ["ENVELOPE-COLUMNS", "TYPES-INTEGER"]
    assert "'Y2000'" in seen.text
    assert seen.findings[1].lines == (3,)
    kept = read_text(read, DELIMITED.replace("F,FRA,,4", "F,FRA,x,4\nF,ITA,1"), entity={"record_tolerance": 0.9})
    assert [row[2:4] for row in kept.rows()] == [("Y2000", 1), ("Y1990", 2), ("Y1990", 4)]


def test_rows_are_counted_where_they_are_rows(read):
    assert read_text(read, DELIMITED, entity={"minimum_rows": 4}).findings == ()
    assert read_text(read, DELIMITED, entity={"minimum_rows": 5}).rules == ["ENVELOPE-ROWS"]


def test_unpivot_names_columns_of_the_contract(contract_for):
    with pytest.raises(ValueError, match="unpivot"):
        contract_for(WIDE_TEXT, format={"unpivot": {"names": "year", "values": "count"}})


def test_options_that_would_do_nothing_are_no_options():
    for bad in (
        {"header_rows": 2},
        {"sheet": "A"},
        {"fill_down": ["a"]},
        {"type": "parquet", "skip_rows": 2},
        {"type": "spss", "unpivot": UNPIVOT},
    ):
        with pytest.raises(ValueError, match=r"would do nothing|is for"):
            Format.model_validate(bad)
