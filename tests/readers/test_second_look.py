"""A library's values are not trusted alone: what it is silent about is found, told, and never taken for a value."""

import base64
import datetime as dt
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from hims_pipeline.readers.formats import excel_look
from hims_pipeline.readers.formats import spss as spss_reader
from hims_pipeline.readers.formats import stata as stata_reader
from hims_pipeline.readers.formats.instants import counted_as, write_out
from tests.privacy.seeded_binary import compound, record

PLACES = ({"name": "gov", "type": "text", "required": True}, {"name": "population", "type": "integer"})
PERSON = ({"name": "pid", "type": "integer", "required": True}, {"name": "age", "type": "integer"})
REGIONS = ({"name": "region"}, {"name": "name", "required": True}, {"name": "population", "type": "integer"})
# An old .xls: a hidden sheet in front, then 1, #REF! and, in a hidden row, 3.
OLD_XLS = zlib.decompress(
    base64.b85decode(
        "c-rk)O=uHA6#iy+)BMn+NllejD4}50+KYM-q(()}$x^kTh)_2+mC%rcG!^xr)taLqcv8F+dht^A;tzVzn+Kty2SE@L#givN!9$z%"
        "&D&W`H9`X#Y}qf&o40SinR%Hv^Y-WEe55>cud9MzunRh>mLDxOHbKSjT!caGmL*lE_EE81tSI<>6v!429tU4|WejD!E6{M)ct#R<"
        "Pvr#i7|dl;u_j_K`(O&`!+<bo?`gP2C4^4)tDWU3mTOqvVeS)_yV-J;<p6QZ;yC8xgMB;HK0c=Pa9fC^zyt2{mMvS+f#-4`U%V!4"
        "t_OPxX*2VGHgp@Um<2^Hk;<kDW~PiNg>V*Mtr+mdIjc`&uD!W-0kVHvYWLQ$U)Ky^3f4&>H)07veAMmm?kkvM#S-P)ogO>l!wcBP"
        "$5UPt>2&T)0LbU^lNqy^&Sl9wJef^T(11tA%(HZvFq5f?fK1wa$iqtxd62h$E6Gu`u^!<A5T-P~aQpMCgUO-z2wSE&vD@i?gY*{`"
        "F3BF$IrO8&mVMk~3(Lzq>U!3@SVqZrs(XhzlyYF2Iaj!~m*&~dcpcwZqi-U;^y$#U?$U?&X42;pmGjZLH}M(t(DIB@fBBn6zvve?"
        "Z%90fJGD@W;vLJ*-;#z;3oG9(b&qSqA_A;N>>Huhj{A~IN#!S+v8o13Z3VBY_QzGVujJ|o#TRw>g86d93tE8viSQ~*zE+2?F<+Nw"
        "MDwZDUneA6uVKd&TW7YRM%S4gaw3j;5qIIjg$oxhT)0>T5b6<AR}Y*X^&sn2-*pzLRNc=cs}_fmqhFC;OZOv7bphuZ+COXI5zbg*"
        "nSGq^g%U?;_5#L{WIx6m-oNxBB5ME7vO9+V-Vtha{%RwB{^R+-10+@Ww*"
    )
)


def sheet(rows: list[list[Any]], change: Callable[[Any], None] = lambda page: None, title: str = "T") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    page.title = title
    for row in rows:
        page.append(row)
    change(page)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def stata(tmp_path, frame: pd.DataFrame, **more: Any) -> bytes:
    path = tmp_path / "made.dta"
    pyreadstat.write_dta(frame, str(path), **more)
    return path.read_bytes()


def spss(tmp_path, frame: pd.DataFrame, **more: Any) -> bytes:
    path = tmp_path / "made.sav"
    pyreadstat.write_sav(frame, str(path), **more)
    return path.read_bytes()


def test_cells_with_an_error_are_no_blanks(read):
    rows = [["gov", "population"], ["Tunis", "#REF!"], ["Ariana", "#DIV/0!"], ["Sousse", 350], ["Gabes", None]]
    seen = read({"people.xlsx": sheet(rows)}, PLACES, format={"type": "excel"})
    assert seen.rules == ["ENVELOPE-CELL-ERROR"]
    assert (seen.findings[0].count, seen.findings[0].lines) == (2, (2, 3))


def test_a_formula_that_was_never_computed_is_no_blank(read):
    rows = [["gov", "population"], ["Tunis", "=1+1"], ["Sousse", 350]]
    seen = read({"people.xlsx": sheet(rows)}, PLACES, format={"type": "excel"})
    assert seen.rules == ["ENVELOPE-FORMULA"]
    assert seen.findings[0].lines == (2,)


def hide_last(page: Any) -> None:
    page.row_dimensions[page.max_row].hidden = True


def test_hidden_rows_are_refused_read_or_skipped_as_the_contract_says(read):
    content = sheet([["gov", "population"], ["Tunis", 1], ["Sfax", 2], ["TOTAL", 3]], hide_last)
    assert read({"people.xlsx": content}, PLACES, format={"type": "excel"}).rules == ["ENVELOPE-HIDDEN"]
    for what, rows in (("read", 3), ("skip", 2)):
        seen = read({"people.xlsx": content}, PLACES, format={"type": "excel", "hidden_rows": what})
        assert seen.findings == ()
        assert len(seen.rows()) == rows


def merge(page: Any) -> None:
    page.merge_cells("A2:A4")
    page.merge_cells("A5:A6")


def test_merged_cells_are_filled_down_where_the_contract_says_so(read):
    rows = [["region", "name", "population"], ["NE", "Tunis", 1], ["", "Ariana", 2], ["", "Ben Arous", 3]]
    content = sheet([*rows, ["S", "Gabes", 4], ["", "Tataouine", 5]], merge)
    assert read({"people.xlsx": content}, REGIONS, format={"type": "excel"}).rules == ["ENVELOPE-MERGED"]
    seen = read({"people.xlsx": content}, REGIONS, format={"type": "excel", "fill_down": ["region"]})
    assert seen.findings == ()
    assert [row[0] for row in seen.rows()] == ["NE"] * 3 + ["S"] * 2


def test_the_first_sheet_that_is_shown_is_read(read):
    def add_draft(page: Any) -> None:
        draft = page.parent.create_sheet("Draft", 0)
        for row in (["gov", "population"], ["Tunis", 999]):
            draft.append(row)
        draft.sheet_state = "hidden"

    content = sheet([["gov", "population"], ["Tunis", 1]], add_draft)
    assert read({"people.xlsx": content}, PLACES, format={"type": "excel"}).sql("population") == [(1,)]
    named = read({"people.xlsx": content}, PLACES, format={"type": "excel", "sheet": "Draft"})
    assert named.sql("population") == [(999,)]


def test_an_old_workbook_is_looked_at_too(read):
    seen = read({"people.xls": OLD_XLS}, PLACES, format={"type": "excel"})
    assert set(seen.rules) == {"ENVELOPE-CELL-ERROR", "ENVELOPE-HIDDEN"}
    assert {finding.lines for finding in seen.findings} == {(3,), (4,)}


def test_numbers_that_the_library_loses_are_found(read, monkeypatch):
    content = sheet([["gov", "population"], *([f"G{n}", n] for n in range(100))])
    whole = excel_look.look_at

    def lose(*args):
        look = whole(*args)
        look.numbers += 1
        return look

    monkeypatch.setattr("hims_pipeline.readers.formats.excel.look_at", lose)
    assert read({"people.xlsx": content}, PLACES, format={"type": "excel"}).rules == ["ENVELOPE-UNSAFE"]


def test_numbers_stored_as_identifiers_are_refused(read, tmp_path):
    """Two persons, one pseudonym: a four-byte float holds 87654321 and 87654322 as one number."""
    columns = [{"name": "pid", "type": "integer"}, {"name": "cin", "sensitivity": "identifier"}]
    numbers = pd.DataFrame({"pid": [1, 2], "cin": np.array([87654321, 87654322], dtype="float32")})
    texts = pd.DataFrame({"pid": [1, 2], "cin": ["07654321", "87654322"]})
    integers = pd.DataFrame({"pid": [1, 2], "cin": np.array([87654321, 87654322], dtype="int32")})
    for kind, make in (("stata", stata), ("spss", spss)):
        seen = read({"people.x": make(tmp_path, numbers)}, columns, format={"type": kind})
        assert seen.rules == ["ENVELOPE-IDENTIFIER"]
        assert "text" in seen.text
        assert read({"people.x": make(tmp_path, texts)}, columns, format={"type": kind}).findings == ()
    assert read({"people.dta": stata(tmp_path, integers)}, columns, format={"type": "stata"}).findings == ()
    for cell in (1.098765432109876e17, 1234567890123456, 87654321, dt.date(2024, 5, 12), dt.time(10, 5), True):
        content = sheet([["pid", "cin"], [1, cell]])
        seen = read({"people.xlsx": content}, columns, format={"type": "excel"})
        assert seen.rules == ["ENVELOPE-IDENTIFIER"]
        assert seen.findings[0].lines == (2,)
    path = tmp_path / "made.parquet"
    with duckdb.connect() as con:
        con.register("numbers", numbers)
        con.execute(f"copy numbers to '{path}' (format parquet)")
    assert read({"people.parquet": path}, columns, format={"type": "parquet"}).rules == ["ENVELOPE-IDENTIFIER"]


def test_numbers_stored_as_identifiers_are_refused_in_wide_tables_too(read):
    columns = [{"name": "cin", "sensitivity": "identifier"}, {"name": "year"}, {"name": "n", "type": "integer"}]
    form = {"type": "excel", "unpivot": {"names": "year", "values": "n"}}
    for cell, rules in (("0765", []), (765, ["ENVELOPE-IDENTIFIER"])):
        seen = read({"people.xlsx": sheet([["cin", "2023", "2024"], [cell, 1, 2]])}, columns, format=form)
        assert seen.rules == rules, seen.text


@pytest.mark.parametrize("kind", ["excel", "spss", "stata", "parquet"])
def test_numbers_that_tell_rows_apart_have_kept_their_digits(read, tmp_path, kind):
    """Two households, one number: of a float fifteen digits hold, seven where it has four bytes."""
    columns = [{"name": "hh"}, {"name": "n", "type": "integer", "allow": ["zero_fraction"]}]
    for numbers, refused in (([123456.0, 7.0], False), ([1234567890123457.0, 7.0], True)):
        frame = pd.DataFrame({"hh": numbers, "n": [1.0, 2.0]})
        if kind == "excel":
            content = sheet([["hh", "n"], *frame.values.tolist()])
        elif kind == "parquet":
            content = tmp_path / "made.parquet"
            with duckdb.connect() as con:
                con.register("frame", frame)
                con.execute(f"copy frame to '{content}' (format parquet)")
        else:
            content = {"spss": spss, "stata": stata}[kind](tmp_path, frame)
        for key in (["hh"], []):  # what tells no rows apart is a number like any
            seen = read({"people.x": content}, columns, format={"type": kind}, entity={"key": key})
            assert seen.rules == (["ENVELOPE-IDENTIFIER"] if refused and key else []), seen.text


def test_numbers_of_four_bytes_tell_rows_apart_by_seven_digits(read, tmp_path):
    frame = pd.DataFrame({"hh": np.array([123456789, 7], dtype="float32"), "n": [1, 2]})
    frame.to_stata(tmp_path / "made.dta", write_index=False)
    columns = [{"name": "hh", "type": "integer"}, {"name": "n", "type": "integer"}]
    form, entity = {"type": "stata"}, {"key": ["hh"]}
    seen = read({"people.dta": tmp_path / "made.dta"}, columns, format=form, entity=entity)
    assert [(one.rule, one.column, one.count) for one in seen.findings] == [("ENVELOPE-IDENTIFIER", "hh", 1)]


@pytest.mark.parametrize("text", ["1.098765432109876e+17", "1,09E+17", "1.09E17", "87654321.0", "1E+8"])
def test_a_number_printed_from_a_float_is_no_identifier(read, text):
    columns = [{"name": "cin", "sensitivity": "identifier"}, {"name": "n", "type": "integer"}]
    seen = read(
        {"people.csv": f"cin;n\n12E34567;1\n12.34.567;2\n{text};3\n".encode()}, columns, format={"delimiter": ";"}
    )
    assert [(finding.count, finding.lines) for finding in seen.findings] == [(1, (4,))]
    assert text not in seen.text


def test_letters_of_stata_are_read_and_a_plain_point_is_no_value(read, tmp_path):
    frame = pd.DataFrame({"pid": [1, 2, 3, 4], "age": [30, "a", "z", 41]})
    content = stata(tmp_path, frame, missing_user_values={"age": ["a", "z"]})
    seen = read({"people.dta": content}, [PERSON[0], {"name": "age", "type": "text"}], format={"type": "stata"})
    assert seen.sql("age") == [("30",), ("a",), ("z",), ("41",)]
    points = pd.DataFrame({"pid": [1, 2, 3], "age": pd.array([30, None, 41], dtype="Int8")})
    path = tmp_path / "points.dta"
    points.to_stata(path, write_index=False, version=118)
    for _ in range(3):
        seen = read({"people.dta": path}, PERSON, format={"type": "stata"})
        assert seen.sql("age") == [(30,), (None,), (41,)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_variables_of_stata_that_are_not_read_move_no_other(read, tmp_path, order):
    frame = pd.DataFrame(
        {
            "before": ["x", "yy", "zzz"], "age": [30.5, np.nan, 41.0], "between": pd.array([1, 2, 3], dtype="int8"),
            "note": ["a" * 3_000, "", "b"], "pid": pd.array([1, 2, 3], dtype="int32"), "behind": [0.1, 0.2, 0.3],
        }
    )  # fmt: skip
    path = tmp_path / "wide.dta"
    frame.to_stata(path, write_index=False, version=118, convert_strl=["note"], byteorder=order)
    columns = [PERSON[0], {"name": "age", "type": "number"}, {"name": "note"}]
    seen = read({"people.dta": path}, columns, format={"type": "stata", "header": "by_name"})
    assert seen.sql("pid, age, length(note)") == [(1, 30.5, 3_000), (2, None, None), (3, 41.0, 1)]


@pytest.mark.parametrize("change", ["value", "point", "text"])
def test_two_libraries_that_differ_on_stata_refuse_it(read, tmp_path, monkeypatch, change):
    frame = pd.DataFrame({"pid": [1, 2, 3], "age": [30.0, 31.0, np.nan], "name": ["a", "b", ""]})
    content = stata(tmp_path, frame)

    class Other(stata_reader.SecondReader):
        def read(self, rows):
            found = super().read(rows)
            if change == "value":
                found.loc[0, "pid"] = 7
            elif change == "point":
                found.loc[0, "age"] = found.loc[2, "age"]
            else:
                found.loc[0, "name"] = ""
            return found

    monkeypatch.setattr(stata_reader, "SecondReader", Other)
    columns = [*PERSON, {"name": "name"}]
    assert read({"people.dta": content}, columns, format={"type": "stata"}).rules == ["ENVELOPE-UNSAFE"]


def test_two_modes_that_differ_on_spss_refuse_it(read, tmp_path, monkeypatch):
    frame = pd.DataFrame({"pid": [1.0, 2.0, 3.0], "age": [30.0, 998.0, 41.0]})
    content = spss(tmp_path, frame, missing_ranges={"age": [{"lo": 997, "hi": 999}]})
    assert read({"people.sav": content}, PERSON, format={"type": "spss"}).sql("age") == [(30,), (998,), (41,)]
    whole = spss_reader.pyreadstat.read_sav

    def lose(path, **options):
        found, meta = whole(path, **options)
        if options.get("row_limit") == spss_reader.SECOND_LOOK_ROWS:
            found.loc[0, "age"] = np.nan  # 30 is not declared to be missing
        return found, meta

    monkeypatch.setattr(spss_reader.pyreadstat, "read_sav", lose)
    assert read({"people.sav": content}, PERSON, format={"type": "spss"}).rules == ["ENVELOPE-UNSAFE"]


def test_a_day_beyond_the_calendar_is_told_with_its_line(read, tmp_path):
    seconds = [13_166_064_000.0, 6_306_000_000_000.0, np.nan]  # 1994, and a year beyond 200,000
    content = spss(
        tmp_path, pd.DataFrame({"pid": [1.0, 2.0, 3.0], "birth": seconds}), variable_format={"birth": "DATE11"}
    )
    columns = [PERSON[0], {"name": "birth", "type": "date"}]
    seen = read({"people.sav": content}, columns, format={"type": "spss"})
    assert [(finding.column, finding.count, finding.lines) for finding in seen.findings] == [("birth", 1, (2,))]
    assert "ENVELOPE-UNREADABLE" not in seen.rules


@pytest.mark.parametrize(
    ("program", "form", "count", "date_format", "text"),
    [
        ("spss", "DATE11", 86_400.0, None, "1582-10-15"),
        ("spss", "EDATE10", 13_166_064_000.0, "%d/%m/%Y", "01/01/2000"),
        ("spss", "DATETIME20", 13_166_067_661.5, None, "2000-01-01 01:01:01.500000"),
        ("spss", "TIME8", 93_784.0, None, "26:03:04"),
        ("stata", "%td", 14_610.0, None, "2000-01-01"),
        ("stata", "%tdD_m_Y", -1.0, None, "1959-12-31"),
        ("stata", "%tc", 1_262_304_000_000.0, None, "2000-01-01"),
        ("stata", "%tC", 1_262_304_000_000.0 + 22_000, None, "2000-01-01"),  # 22 leap seconds by then
        ("stata", "%tCCCYY", 12 * 365.25 * 86_400_000, None, "1972-01-01"),
        ("stata", "%tw", 40 * 52 + 1.0, None, "2000-01-08"),
        ("stata", "%tm", 40 * 12 + 11.0, "%Y-%m", "2000-12"),
        ("stata", "%tqCCYY!qq", -1.0, None, "1959-10-01"),
        ("stata", "%th", 81.0, None, "2000-07-01"),
    ],
)
def test_counts_are_written_as_the_days_and_times_they_are(program, form, count, date_format, text):
    kind = counted_as(program, form)
    assert kind is not None
    assert list(write_out(pd.Series([count, np.nan]), kind, date_format)) == [text, None]


DATED = ({"name": "id", "type": "integer"}, {"name": "day", "type": "date"})


@pytest.mark.parametrize(
    ("serial", "day"),
    [(1, (1900, 1, 1)), (59, (1900, 2, 28)), (60, None), (-1, None), (-1.25, None), (61, (1900, 3, 1))],
)
def test_the_day_of_excel_that_never_was_is_refused(read, serial, day):
    def dated(page: Any) -> None:
        page["B2"] = serial
        page["B2"].number_format = "yyyy-mm-dd"

    content = sheet([["id", "day"], [60, 44000]], dated)  # a number 60 in another column is none of it
    seen = read({"people.xlsx": content}, DATED, format={"type": "excel"})
    if day is None:
        assert [(one.rule, one.lines) for one in seen.findings] == [("ENVELOPE-UNREAL-DAY", (2,))]
        assert "29 February 1900" in seen.text
    else:
        assert seen.sql("year(day), month(day), day(day)") == [day]


def old_sheet(rows: list[list[Any]], since_1904: bool = False) -> bytes:
    """An .xls: texts, and numbers that are shown as days."""

    def begin(kind: int) -> bytes:
        return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x1AF0, 0x7CD, 0xC1, 0x306))

    def cell(row: int, column: int, value: Any) -> bytes:
        if isinstance(value, str):
            return record(0x204, struct.pack("<HHHH", row, column, 0, len(value)) + b"\0" + value.encode())
        return record(0x203, struct.pack("<HHHd", row, column, 1, value))

    cells = b"".join(cell(row, column, value) for row, line in enumerate(rows) for column, value in enumerate(line))
    page = begin(0x10) + record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, len(rows[0]), 0)) + cells + record(0x0A)
    head = begin(0x5) + record(0x22, struct.pack("<H", since_1904))
    head += b"".join(record(0xE0, struct.pack("<HH16x", 0, shown)) for shown in (0, 14))
    place = len(head) + 4 + 9 + 4
    return compound(head + record(0x85, struct.pack("<IBBBB", place, 0, 0, 1, 0) + b"T") + record(0x0A) + page)


@pytest.mark.parametrize(
    ("serial", "day"), [(1, (1900, 1, 1)), (59, (1900, 2, 28)), (60, None), (60.5, None), (61, (1900, 3, 1))]
)
def test_the_day_of_excel_that_never_was_is_refused_in_an_old_workbook(read, serial, day):
    seen = read({"people.xls": old_sheet([["id", "day"], ["60", serial]])}, DATED, format={"type": "excel"})
    if day is None:
        assert [(one.rule, one.lines) for one in seen.findings] == [("ENVELOPE-UNREAL-DAY", (2,))]
    else:
        assert seen.sql("year(day), month(day), day(day)") == [day]


@pytest.mark.parametrize("serial", [0, 1, 59, 60, 61, 44_000])
@pytest.mark.parametrize("kind", ["xls", "xlsx"])
def test_days_may_be_counted_from_1904(read, kind, serial):
    def dated(page: Any) -> None:
        page.parent.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        page["B2"] = serial
        page["B2"].number_format = "yyyy-mm-dd"

    old = old_sheet([["id", "day"], ["7", serial]], since_1904=True)
    content = old if kind == "xls" else sheet([["id", "day"], [7, 1]], dated)
    seen = read({f"people.{kind}": content}, DATED, format={"type": "excel"})
    assert seen.sql("day") == [(dt.date(1904, 1, 1) + dt.timedelta(serial),)], seen.text


def test_the_day_that_never_was_in_what_nobody_reads_is_no_matter(read):
    def dated(page: Any) -> None:
        page["A2"] = 60
        page["A2"].number_format = "yyyy-mm-dd"

    content = sheet([["x", "day"], [60, 44000]], dated)
    form = {"type": "excel", "header": "by_name"}
    assert "ENVELOPE-UNREAL-DAY" not in read({"people.xlsx": content}, DATED[1:], format=form).rules


EXPONENTS = ["1.23457E+11", "1,23457e+11", "2E+15", "1.5E12"]


@pytest.mark.parametrize("form", ["delimited", "excel", "parquet", "fixed_width"])
@pytest.mark.parametrize("kind", ["text", "number"])
def test_a_number_whose_digits_are_gone_finds_no_household(read, tmp_path, form, kind):
    """What Excel saved as text keeps six digits of a number: two households have one, and their persons are mixed."""
    columns = [{"name": "hh", "type": kind, "start": 1, "width": 11}, {"name": "n", "start": 12, "width": 1}]

    def made(hh: str) -> bytes:
        if form == "excel":
            return sheet([["hh", "n"], [hh, "1"]])
        if form == "parquet":
            with duckdb.connect() as con:
                con.execute(f"copy (select '{hh}' as hh, '1' as n) to '{tmp_path / 'made'}' (format parquet)")
            return (tmp_path / "made").read_bytes()
        return f"{hh:<11}1\n".encode() if form == "fixed_width" else f'hh,n\n"{hh}",1\n'.encode()

    for hh in EXPONENTS if kind == "text" else [one for one in EXPONENTS if "," not in one]:
        for key, rule in ((["hh", "n"], "TYPES-IDENTIFIER" if kind == "text" else "TYPES-NUMBER"), ([], "")):
            seen = read({"people.x": made(hh)}, columns, format={"type": form}, entity={"key": key})
            assert seen.rules == ([rule] if key else []), seen.text
            assert hh not in seen.text
    for hh in ("12E34567", "4E-12", "12.5"):
        if kind == "text":
            assert read({"people.x": made(hh)}, columns, format={"type": form}, entity={"key": ["hh"]}).findings == ()


def test_spans_of_time_are_hours_however_many(read):
    spans = [dt.timedelta(hours=25, minutes=3), dt.timedelta(hours=1), dt.time(1, 2), dt.timedelta(days=3, seconds=5)]
    content = sheet([["id", "span"], *([n, one] for n, one in enumerate(spans))])
    seen = read({"people.xlsx": content}, [DATED[0], {"name": "span"}], format={"type": "excel"})
    assert seen.sql("span") == [("25:03:00",), ("01:00:00",), ("01:02:00",), ("72:00:05",)]


@pytest.mark.parametrize(
    ("rows", "column"),
    [([["a", 0.125], ["b", "12.5%"]], "share"), ([["a", "7 ٪"], ["b", 7]], "share"), ([["a", 0.1], ["b", 0.2]], "")],
)
def test_numbers_beside_texts_with_a_sign_for_per_cent_are_refused(read, rows, column):
    share = {"name": "share", "type": "decimal", "scale": 3, "allow": ["percent"]}
    seen = read({"people.xlsx": sheet([["a", "share"], *rows])}, [{"name": "a"}, share], format={"type": "excel"})
    assert [(one.rule, one.column) for one in seen.findings] == ([("ENVELOPE-PERCENT", column)] if column else [])


def test_and_in_wide_tables(read):
    columns = [{"name": "a"}, {"name": "year"}, {"name": "share", "type": "decimal", "allow": ["percent"]}]
    form = {"type": "excel", "unpivot": {"names": "year", "values": "share"}}
    content = sheet([["a", "2023", "2024"], ["x", "12.5 %", 0.125], ["y", "1 %", "2 %"]])
    assert [one.lines for one in read({"people.xlsx": content}, columns, format=form).findings] == [(2,)]


def with_part(content: bytes, old: bytes, new: bytes) -> bytes:
    """A workbook with some bytes of its parts replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(made, "w") as out:
        for name in archive.namelist():
            out.writestr(name, archive.read(name).replace(old, new))
    return made.getvalue()


def test_an_error_of_newer_versions_of_excel_is_called_so(read):
    content = sheet([["gov", "population"], ["Tunis", "#REF!"], ["Sousse", "#N/A"]])
    seen = read({"people.xlsx": with_part(content, b"#N/A", b"#SPILL!")}, PLACES, format={"type": "excel"})
    assert seen.rules == ["ENVELOPE-CELL-ERROR"]
    assert "row 3" in seen.text


def test_a_row_without_height_is_hidden(read):
    content = sheet([["gov", "population"], ["Tunis", 1], ["TOTAL", 1]])
    content = with_part(content, b'<row r="3"', b'<row r="3" ht="0" customHeight="1"')
    seen = read({"people.xlsx": content}, PLACES, format={"type": "excel"})
    assert [(one.rule, one.lines) for one in seen.findings] == [("ENVELOPE-HIDDEN", (3,))]
    skipped = read({"people.xlsx": content}, PLACES, format={"type": "excel", "hidden_rows": "skip"})
    assert skipped.sql("gov") == [("Tunis",)]


PLACES_OF = {"fr": ["Béja", "Médenine", "Kébili"], "ar": ["تونس", "صفاقس", "باجة"]}


@pytest.mark.parametrize("language", PLACES_OF)
@pytest.mark.parametrize("form", ["excel", "spss", "stata", "parquet"])
def test_letters_that_were_encoded_twice_are_told_in_every_format(read, tmp_path, form, language):
    for places, rules in (
        (PLACES_OF[language], []),
        ([place.encode().decode("latin-1") for place in PLACES_OF[language]], ["ENVELOPE-ENCODING"]),
    ):
        frame = pd.DataFrame({"gov": places, "population": [1, 2, 3]})
        if form == "excel":
            rows = [list(frame.columns), *frame.to_numpy().tolist()]
            content = {"people.xlsx": sheet([[str(row[0]), row[1]] for row in rows])}
        elif form == "parquet":
            with duckdb.connect() as con:
                con.execute(f"copy (select * from frame) to '{tmp_path}/people.parquet'")
            content = {"people.parquet": (tmp_path / "people.parquet").read_bytes()}
        else:
            content = {f"people.{form}": (spss if form == "spss" else stata)(tmp_path, frame)}
        seen = read(content, PLACES, format={"type": form})
        assert seen.rules == rules
        if rules:
            assert (seen.findings[0].column, seen.findings[0].count) == ("gov", 3)
            assert len(seen.findings[0].lines) == 3
