"""Texts made for people: titles above the table, notes below it, a last line without an end."""

import pytest

STOCK = ({"name": "Year", "type": "integer"}, {"name": "Origin"}, {"name": "Value", "type": "integer"})
TITLES = b'"Extracted from a database","of ""us""\n"Date 2017-08-19 16:35:40 +02:00"\n\n'  # a quote is left open
TABLE = b"Year,Origin,Value\n2016,Syria,507\n2016,Iraq,24\n"
WIDE = (
    {"name": "Country Name"},
    {"name": "Country Code"},
    {"name": "year", "type": "integer"},
    {"name": "population", "type": "integer"},
)
UNPIVOT = {"names": "year", "values": "population"}


def test_titles_above_the_table_are_skipped_and_lines_keep_their_numbers(read):
    seen = read({"people.csv": TITLES + TABLE}, STOCK, format={"skip_rows": 3})
    assert seen.findings == ()
    assert seen.sql("Year, Origin, Value, _line") == [(2016, "Syria", 507, 5), (2016, "Iraq", 24, 6)]
    wrong = read({"people.csv": TITLES + TABLE + b"2017,Iraq,x\n2017,Iraq\n"}, STOCK, format={"skip_rows": 3})
    assert {finding.rule: finding.lines for finding in wrong.findings}["ENVELOPE-COLUMNS"] == (8,)
    assert [finding.lines for finding in wrong.findings if finding.column == "Value"] == [(7,)]


def test_quoted_newlines_below_titles_are_counted_right(read):
    content = TITLES + b'Year,Origin,Value\n2016,"Sy\nria",507\n2016,Iraq,24\n'
    seen = read({"people.csv": content}, STOCK, format={"skip_rows": 3})
    assert seen.sql("Origin, _line") == [("Sy\nria", 5), ("Iraq", 6)]


@pytest.mark.parametrize(
    "notes", [b"\n", b"\nSource: us\n", b'\n\n"Source, with a comma"\nnothing more', b",,\nSource: us,,\n"]
)
def test_notes_below_the_table_are_no_rows(read, notes):
    seen = read({"people.csv": TABLE + notes}, STOCK, format={"stop_at_blank": True})
    assert seen.findings == ()
    assert len(seen.rows()) == 2


@pytest.mark.parametrize("blank", [b"\n", b",,\n", b" , ,\r\n"])
def test_what_looks_like_more_of_the_table_is_no_note(read, blank):
    seen = read({"people.csv": TABLE + blank + b"2017,Iraq,3\n"}, STOCK, format={"stop_at_blank": True})
    assert seen.rules == ["ENVELOPE-BLANK-LINE"]


def test_a_last_line_without_an_end_is_taken_where_the_contract_allows_it(read):
    assert read({"people.csv": TABLE[:-1]}, STOCK).rules == ["ENVELOPE-TRUNCATED"]
    assert len(read({"people.csv": TABLE[:-1]}, STOCK, format={"final_newline": False}).rows()) == 2
    assert len(read({"people.csv": TABLE}, STOCK, format={"final_newline": False}).rows()) == 2
    places = [{"name": "a", "type": "integer", "start": 1, "width": 2}]
    fixed = {"type": "fixed_width", "final_newline": False}
    assert read({"people.txt": b"11\n22"}, places, format=fixed).sql("a") == [(11,), (22,)]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (TABLE.replace(b"\n", b"\r\n")[:-2], {"final_newline": False}),
        (TABLE + b"\x1a", {}),
        (TABLE.replace(b"\n", b"\r\n") + b"\x1a", {}),
        (TABLE[:-1] + b"\x1a", {"final_newline": False}),
    ],
)
def test_the_end_of_a_file_as_other_systems_write_it_is_no_part_of_a_value(read, content, form):
    assert read({"people.csv": content}, STOCK, format=form).rows() == read({"people.csv": TABLE}, STOCK).rows()


def test_the_end_mark_of_dos_is_no_newline(read):
    assert read({"people.csv": TABLE[:-1] + b"\x1a"}, STOCK).rules == ["ENVELOPE-TRUNCATED"]


def test_tables_of_statistical_offices_may_end_without_a_newline(read):
    columns = [{"name": "geo"}, {"name": "OBS_VALUE", "type": "integer"}]
    form = {"type": "sdmx_csv", "final_newline": False}
    seen = read({"people.csv": b"DATAFLOW,geo,OBS_VALUE\nA:B(1.0),FR,15"}, columns, format=form)
    assert seen.sql("geo, OBS_VALUE") == [("FR", 15)]
    columns.insert(1, {"name": "TIME_PERIOD"})
    form = {"type": "eurostat_tsv", "final_newline": False}
    form["unpivot"] = {"names": "TIME_PERIOD", "values": "OBS_VALUE"}
    seen = read({"people.tsv": b"geo\\TIME_PERIOD\t2021\t2022\nFR\t5 \t6"}, columns, format=form)
    assert seen.sql("TIME_PERIOD, OBS_VALUE") == [("2021", 5), ("2022", 6)]


def test_a_file_with_titles_alone_is_refused(read):
    assert read({"people.csv": TITLES}, STOCK, format={"skip_rows": 3}).rules == ["ENVELOPE-EMPTY"]


@pytest.mark.parametrize("above", [b"", b'\xef\xbb\xbf"Data Source","World",\n\n"Last Updated","2024",\n\n'])
def test_a_wide_table_whose_lines_end_in_one_more_comma(read, above):
    content = above + (
        b'"Country Name","Country Code","2021","2022",\n"Namibia","NAM","2530151","2567012",\n'
        b'"Turkiye","TUR","84147318","",\n'
    )
    form = {"trailing_delimiter": True, "unpivot": UNPIVOT} | ({"skip_rows": 4} if above else {})
    seen = read({"people.csv": content}, WIDE, format=form)
    assert seen.findings == ()
    assert seen.rows() == [
        ("Namibia", "NAM", 2021, 2530151, 6 if above else 2),
        ("Namibia", "NAM", 2022, 2567012, 6 if above else 2),
        ("Turkiye", "TUR", 2021, 84147318, 7 if above else 3),
        ("Turkiye", "TUR", 2022, None, 7 if above else 3),
    ]
