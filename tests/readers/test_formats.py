"""Parquet, Excel, SPSS and Stata take the same way as text: same header check, same types, same entity file."""

import base64
import datetime as dt
import io
import os
import subprocess
import sys
from decimal import Decimal
from types import ModuleType

import duckdb
import numpy as np
import openpyxl
import openpyxl.chart
import pandas as pd
import pyreadstat
import pytest

from hims_pipeline.contracts.formats import FORMATS
from hims_pipeline.readers.table import Table
from hims_pipeline.readers.typing.parts import TextPart
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.sql import literal

COLUMNS = (
    {"name": "id", "type": "integer"},
    {"name": "sex", "type": "integer", "codes": {1: "Male", 2: "Female"}, "missing": {9: "_U"}},
    {"name": "name"},
    {"name": "weight", "type": "decimal", "scale": 4},
    {"name": "birth", "type": "date"},
)
ROWS = [
    (1, 1, "Ali", Decimal("1.2500"), dt.date(2000, 1, 2)),
    (2, 2, "منى", Decimal("2.5000"), None),
    (3, 9, None, None, dt.date(1999, 12, 31)),
]
FRAME = {
    "id": [1, 2, 3],
    "sex": [1.0, 2.0, 9.0],
    "name": ["Ali", "منى", ""],
    "weight": [1.25, 2.5, float("nan")],
    "birth": [dt.date(2000, 1, 2), None, dt.date(1999, 12, 31)],
}
LABELS = {"sex": {1: "Male", 2: "Female", 9: "No answer"}}


def parquet(tmp_path, sql: str) -> bytes:
    with duckdb.connect() as con:
        con.execute(f"copy ({sql}) to '{tmp_path}/made.parquet' (format parquet)")
    return (tmp_path / "made.parquet").read_bytes()


def workbook(rows, title: str = "Data") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def statistical(tmp_path, kind: str, labels=LABELS, missing=(9,)) -> bytes:
    path, frame = tmp_path / f"made.{kind}", pd.DataFrame(FRAME)
    write = {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[kind]
    more = {"missing_ranges": {"sex": list(missing)}} if kind == "sav" else {}
    write(frame, str(path), variable_value_labels=labels, **more)
    return path.read_bytes()


PARQUET = """select unnest([1, 2, 3]) as id, unnest([1, 2, 9]) as sex, unnest(['Ali', 'منى', '']) as name,
    unnest([1.25, 2.5, null]) as weight, unnest([date '2000-01-02', null, date '1999-12-31']) as birth"""


def test_parquet_in_any_order_of_columns(read, tmp_path):
    for sql in (PARQUET, f"select birth, weight, name, sex, id from ({PARQUET})"):
        seen = read({"people.parquet": parquet(tmp_path, sql)}, COLUMNS, format={"type": "parquet"})
        assert seen.findings == ()
        assert [row[:5] for row in seen.rows()] == ROWS
        assert seen.sql("_line") == [(1,), (2,), (3,)]


def test_parquet_floats_are_whole_numbers_only_where_allowed(read, tmp_path):
    sent = {"p.parquet": parquet(tmp_path, "select unnest([3.0::double, 'nan'::double]) as v, 'x' as k")}
    entity = {"files": ["p.parquet"]}
    columns = [{"name": "v", "type": "integer"}, {"name": "k"}]
    seen = read(sent, columns, format={"type": "parquet"}, entity=entity)
    assert seen.rules == ["TYPES-INTEGER"]
    columns[0]["allow"] = ["zero_fraction"]
    assert read(sent, columns, format={"type": "parquet"}, entity=entity).sql("v") == [(3,), (None,)]


def test_parquet_timestamps_are_dates_only_at_midnight(read, tmp_path):
    made = parquet(
        tmp_path, "select timestamp '2024-01-02 00:00:00' as d union all select timestamp '2024-01-02 10:00:00'"
    )
    seen = read(
        {"p.parquet": made}, [{"name": "d", "type": "date"}], format={"type": "parquet"}, entity={"files": ["p*"]}
    )
    assert (seen.findings[0].count, seen.findings[0].total) == (1, 2)
    assert "with a time of day" in seen.text


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("select 1 as id", "ENVELOPE-HEADER"),
        (f"select *, 1 as extra from ({PARQUET})", "ENVELOPE-HEADER"),
        (f"select * replace ([id] as id) from ({PARQUET})", "ENVELOPE-SCHEMA"),
        (f"select * from ({PARQUET}) limit 0", "ENVELOPE-ROWS"),
    ],
)
def test_parquet_with_another_schema_is_refused(read, tmp_path, sql, rule):
    seen = read({"people.parquet": parquet(tmp_path, sql)}, COLUMNS, format={"type": "parquet"})
    assert seen.rules == [rule]


def test_damaged_parquet_is_refused(read, tmp_path):
    made = parquet(
        tmp_path, "select i as id, 1 as sex, 'x' || i as name, 1.5 as weight, null::date as birth from range(9999) t(i)"
    )
    for content in (made[:-20], made[: len(made) // 2], b"PAR1" + b"\xff" * 5000 + made[5004:], b"id\n1\n"):
        seen = read({"people.parquet": content}, COLUMNS, format={"type": "parquet"})
        assert len(seen.findings) == 1, seen.text
        assert seen.findings[0].rule in ("ENVELOPE-DAMAGED", "ENVELOPE-KIND")


def test_excel_with_a_title_above_and_blank_rows_below(read):
    rows = [["Persons 2024"], [], [column["name"] for column in COLUMNS]]
    rows += [[r[0], r[1], r[2], float(r[3]) if r[3] else None, r[4]] for r in ROWS] + [[None] * 5]
    form = {"type": "excel", "sheet": "Data", "skip_rows": 2}
    seen = read({"people.xlsx": workbook(rows)}, COLUMNS, format=form)
    assert seen.findings == ()
    assert seen.rows() == [(*row, line) for row, line in zip(ROWS, (4, 5, 6), strict=True)]


def test_excel_cells_that_do_not_fit_are_found_in_their_row(read):
    columns = [
        {"name": "n", "type": "integer"},
        {"name": "d", "type": "date", "date_format": "%d/%m/%Y"},
        {"name": "s"},
    ]
    rows = [
        ["n", "d", "s"],
        [1.5, dt.date(2024, 2, 1), 12],
        ["2", dt.datetime(2024, 1, 1, 10), "a\r\nb"],
        [3, None, True],
    ]
    seen = read({"people.xlsx": workbook(rows)}, columns, format={"type": "excel"})
    assert [(f.column, f.lines) for f in seen.findings] == [("n", (2,)), ("d", (3,))]
    rows[1][0], rows[2][1] = 1, None
    good = read({"people.xlsx": workbook(rows)}, columns, format={"type": "excel"})
    assert good.sql("n, d, s") == [(1, dt.date(2024, 2, 1), "12"), (2, None, "a\nb"), (3, None, "true")]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (workbook([["id", "name"], [1, "a"]]), "ENVELOPE-HEADER"),
        (workbook([[c["name"] for c in COLUMNS]]), "ENVELOPE-ROWS"),
        (workbook([]), "ENVELOPE-EMPTY"),
        (workbook([[c["name"] for c in COLUMNS], [1], [], [2]]), "ENVELOPE-BLANK-LINE"),
        (workbook([[c["name"] for c in COLUMNS], [1, 1, "a", 1, None, "more"]]), "ENVELOPE-COLUMNS"),
        (workbook([["x"]], "Other"), "ENVELOPE-SHEET"),
        (workbook([["x"]])[:-200], "ENVELOPE-ARCHIVE"),
        (b"id,sex,name,weight,birth\n1,1,a,1,\n", "ENVELOPE-KIND"),
    ],
)
def test_excel_that_is_not_as_agreed_is_refused(read, content, rule):
    sheet = "Data" if rule == "ENVELOPE-SHEET" else None
    seen = read({"people.xlsx": content}, COLUMNS, format={"type": "excel", "sheet": sheet})
    assert seen.rules == [rule]
    assert "people.xlsx" in seen.text


@pytest.mark.parametrize(("kind", "name"), [("spss", "sav"), ("stata", "dta")])
def test_spss_and_stata_keep_missing_codes_and_compare_labels(read, tmp_path, kind, name):
    seen = read({f"people.{name}": statistical(tmp_path, name)}, COLUMNS, format={"type": kind})
    assert seen.findings == ()
    assert [row[:5] for row in seen.rows()] == ROWS
    other = statistical(tmp_path, name, {"sex": {1: "Female", 2: "FEMALE ", 3: "Third"}})
    seen = read({f"people.{name}": other}, COLUMNS, format={"type": kind})
    assert [(f.rule, f.severity, f.column) for f in seen.findings] == [
        ("ENVELOPE-LABELS-EXCHANGED", "blocking", "sex"),
        ("ENVELOPE-LABELS", "warning", "sex"),
    ]
    assert "gives to others: 1" in seen.text
    assert "lacks: 3" in seen.text
    assert "other words: 1." in seen.text
    renamed = statistical(tmp_path, name, {"sex": {1: "Men", 2: "FEMALE ", 3: "Third"}})
    seen = read({f"people.{name}": renamed}, COLUMNS, format={"type": kind})
    assert [(f.rule, f.severity) for f in seen.findings] == [("ENVELOPE-LABELS", "warning")]
    assert seen.result.stage == "read"


@pytest.mark.parametrize("labels", [{1: "Féminin", 2: "Masculin"}, {1: "أنثى", 2: "ذكر"}, {1: "women", 2: "Men"}])
def test_sexes_exchanged_in_the_words_of_another_language_are_refused(read, tmp_path, labels):
    seen = read({"people.sav": statistical(tmp_path, "sav", {"sex": labels})}, COLUMNS, format={"type": "spss"})
    assert "ENVELOPE-LABELS-EXCHANGED" in {one.rule for one in seen.findings if one.severity == "blocking"}
    right = {"sex": {1: labels[2], 2: labels[1]}}
    seen = read({"people.sav": statistical(tmp_path, "sav", right)}, COLUMNS, format={"type": "spss"})
    assert not [one for one in seen.findings if one.severity == "blocking"]


@pytest.mark.parametrize("missing", [[1], [{"lo": 1, "hi": 2}], [{"lo": 2, "hi": 9}]])
def test_answers_declared_missing_are_refused_one_by_one_and_as_ranges(read, tmp_path, missing):
    seen = read({"people.sav": statistical(tmp_path, "sav", missing=missing)}, COLUMNS, format={"type": "spss"})
    assert "ENVELOPE-MISSING-DECLARED" in {one.rule for one in seen.findings if one.severity == "blocking"}


@pytest.mark.parametrize(("kind", "name"), [("spss", "sav"), ("stata", "dta")])
def test_spss_and_stata_cut_off_or_something_else_are_refused(read, tmp_path, kind, name):
    content = statistical(tmp_path, name)
    for sent, rule in (
        (content[:-40], "ENVELOPE-DAMAGED"),
        (content[:30], "ENVELOPE-DAMAGED"),
        (b"x\n1\n", "ENVELOPE-KIND"),
    ):
        assert read({f"people.{name}": sent}, COLUMNS, format={"type": kind}).rules == [rule]


def test_statistical_files_are_read_in_chunks(read, tmp_path, monkeypatch):
    from hims_pipeline.readers.formats import labelled as module

    monkeypatch.setattr(module, "CHUNK_ROWS", 7)
    frame = pd.DataFrame({"id": range(40), "k": [None] * 20 + ["x"] * 20})
    pyreadstat.write_sav(frame, str(tmp_path / "made.sav"))
    columns = [{"name": "id", "type": "integer"}, {"name": "k"}]
    seen = read({"people.sav": tmp_path / "made.sav"}, columns, format={"type": "spss"})
    assert seen.sql("id, k, _line") == [(n, "x" if n >= 20 else None, n + 1) for n in range(40)]


def test_statas_lettered_missing_values_are_not_lost(read, tmp_path):
    frame = pd.DataFrame({"id": [1, 2], "v": [5, "a"]}, dtype=object)
    pyreadstat.write_dta(frame, str(tmp_path / "made.dta"), missing_user_values={"v": ["a"]})
    sent = {"people.dta": tmp_path / "made.dta"}
    columns = [{"name": "id", "type": "integer"}, {"name": "v"}]
    assert read(sent, columns, format={"type": "stata"}).sql("v") == [("5",), ("a",)]
    columns[1]["type"] = "integer"
    assert read(sent, columns, format={"type": "stata"}).rules == ["TYPES-INTEGER"]


ELSEWHERE = """
import sys
from pathlib import Path
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection
home = Path(sys.argv[1])
here = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home)
with connection(here) as con, con.cursor() as other:
    for one in (con, other):
        print(one.execute("select timestamptz '2024-01-04 23:30:00+00'::varchar").fetchall())
"""


def test_the_machine_does_not_decide_on_which_day_an_instant_falls(read, tmp_path):
    said = {
        subprocess.run(
            [sys.executable, "-c", ELSEWHERE, str(tmp_path)],
            env=os.environ | {"TZ": zone}, capture_output=True, text=True, check=True,
        ).stdout
        for zone in ("UTC", "Africa/Tunis", "Pacific/Auckland")
    }  # fmt: skip
    assert said == {"[('2024-01-05 00:30:00+01',)]\n" * 2}
    path = tmp_path / "people.parquet"
    with duckdb.connect() as con:
        con.execute(f"copy (select timestamptz '2024-01-04 23:00:00+00' as entry) to '{path}' (format parquet)")
    columns = [{"name": "entry", "type": "date"}]
    seen = read({"people.parquet": path}, columns, format={"type": "parquet"}, settings={"data": REPOSITORY / "data"})
    assert seen.sql("entry") == [(dt.date(2024, 1, 5),)]


def test_a_format_is_one_module_and_one_line(read, monkeypatch):
    """Pairs of lines, a name and its value below, as some program may write them."""
    module = ModuleType("hims_pipeline.readers.formats.pairs")

    def open_table(settings, shape, member, scratch):
        lines = member.path.read_text(encoding="utf-8").splitlines()
        rows = list(zip(lines[::2], lines[1::2], strict=True))
        values = ", ".join(f"({literal(name)}, {literal(value)})" for name, value in rows)
        texts = ", ".join(f"f{position} as t{place}" for place, position in enumerate(shape.positions))
        part = TextPart(f"select {texts} from (values {values}) as sent (f0, f1)", "row_number() over ()")
        return Table([part], len(rows)), []

    module.open_table = open_table
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(FORMATS, "pairs", "pairs")  # the line
    columns = [{"name": "name"}, {"name": "age", "type": "integer"}]
    assert read({"people.txt": "Ali\n31\nÉmile\n40\n".encode()}, columns, format={"type": "pairs"}).rows() == [
        ("Ali", 31, 1), ("Émile", 40, 2),
    ]  # fmt: skip
    assert read({"people.txt": b"Ali\nx\n"}, columns, format={"type": "pairs"}).rules == ["TYPES-INTEGER"]
    one = read({"people.txt": b"Ali\n31\n"}, columns, format={"type": "pairs"}, entity={"minimum_rows": 2})
    assert one.rules == ["ENVELOPE-ROWS"]  # which no format asks for itself


def test_a_format_that_nobody_registered_does_not_load(read):
    with pytest.raises(ValueError, match="there is no format telex; there are delimited, parquet"):
        read({"people.txt": b"x"}, COLUMNS, format={"type": "telex"})


# Of columns id, sex and Sex, with two rows: DuckDB writes no names that are one to SQL.
SEX_TWICE = (
    "UEFSMRUAFRwVHCwVBBUAFQYVBhwAAAACAAAABAEBAAAAAgAAABUAFRwVHCwVBBUAFQYVBhwAAAACAAAABAEBAAAAAgAAABUAFRwVHCwVBBUAFQYV"
    "BhwAAAACAAAABAEHAAAACAAAABUEGUw1ABgGc2NoZW1hFQYAFQIlAhgCaWQlHkysEwgRAAAAFQIlAhgDc2V4JR5MrBMIEQAAABUCJQIYA1NleCUe"
    "TKwTCBEAAAAWBBkcGTwmABwVAhklBgAZGAJpZBUAFgQWQhZCJghJHBUAFQAVAgA8KQYZJgAEAAAAJgAcFQIZJQYAGRgDc2V4FQAWBBZCFkImSkkc"
    "FQAVABUCADwpBhkmAAQAAAAmABwVAhklBgAZGANTZXgVABYEFkIWQiaMAUkcFQAVABUCADwpBhkmAAQAAAAWxgEWBCYIFsYBACggcGFycXVldC1j"
    "cHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZPBwAABwAABwAAAAMAQAAUEFSMQ=="
)
NEAR_ZERO = [1.25, 0.00001, -2.5e-7, 0.0]


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "sav", "dta"])
def test_numbers_near_zero_are_written_out(read, tmp_path, kind):
    columns = [
        {"name": "id", "type": "integer", "allow": ["zero_fraction"]},
        {"name": "x", "type": "decimal", "scale": 8},
    ]
    frame = pd.DataFrame({"id": [1.0, 2.0, 3.0, 4.0], "x": NEAR_ZERO})
    path = tmp_path / f"people.{kind}"
    if kind == "xlsx":
        path.write_bytes(workbook([["id", "x"], *frame.itertuples(index=False)]))
    elif kind == "parquet":
        path.write_bytes(parquet(tmp_path, "select id::double as id, x from (values (1, 1.25), (2, 0.00001), "
                                           "(3, -2.5e-7), (4, 0.0)) as t (id, x)"))  # fmt: skip
    else:
        {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[kind](frame, str(path))
    form = {"xlsx": "excel", "sav": "spss", "dta": "stata"}.get(kind, kind)
    values = read({f"people.{kind}": path}, columns, format={"type": form}).sql("x")
    assert values == [(Decimal("1.25"),), (Decimal("0.00001"),), (Decimal("-0.00000025"),), (Decimal(0),)]


def test_numbers_of_four_bytes_have_the_digits_that_were_written(read, tmp_path):
    frame = pd.DataFrame({"id": [1, 2], "x": np.array([12.34, 1e10], dtype="float32")})
    frame.to_stata(tmp_path / "people.dta", write_index=False)
    for declared, values in (
        ({"type": "decimal"}, [Decimal("12.34"), Decimal("10000000000")]),
        ({"type": "text"}, ["12.34", "10000000000"]),
        ({"type": "number"}, [float(np.float32(12.34)), 1e10]),
    ):
        columns = [{"name": "id", "type": "integer"}, {"name": "x", **declared}]
        seen = read({"people.dta": tmp_path / "people.dta"}, columns, format={"type": "stata"})
        assert seen.sql("x") == [(value,) for value in values]


@pytest.mark.parametrize("kind", ["stata", "parquet"])
def test_names_that_differ_in_case_alone_are_two_columns(read, tmp_path, kind):
    frame = pd.DataFrame({"id": [1, 2], "sex": [1, 2], "Sex": [7, 8]})
    path = tmp_path / "people.bin"
    if kind == "stata":
        frame.to_stata(path, write_index=False)
    else:
        path.write_bytes(base64.b64decode(SEX_TWICE))
    columns = [
        {"name": "id", "type": "integer"},
        {"name": "gender", "type": "integer"},
        {"name": "sex", "type": "integer"},
    ]
    layout = {"name": "now", "periods": ["2024"], "entities": {"people": {"names": {"gender": "Sex"}}}}
    seen = read({"people.bin": path}, columns, format={"type": kind, "header": "by_name"}, layouts=[layout])
    assert seen.sql("gender, sex") == [(7, 1), (8, 2)]


def test_a_name_that_stands_twice_in_parquet_is_told(read, tmp_path):
    content = base64.b64decode(SEX_TWICE).replace(b"Sex", b"sex")
    columns = [{"name": "id", "type": "integer"}, {"name": "sex", "type": "integer"}]
    for form in ({}, {"header": "by_name"}):
        seen = read({"people.parquet": content}, columns, format={"type": "parquet", **form})
        assert seen.rules == ["ENVELOPE-HEADER"]
        assert "named twice: 'sex'" in seen.text


def test_a_sheet_of_charts_is_no_table(read):
    book = openpyxl.Workbook()
    for row in [["id", "x"], [1, 2]]:
        book.active.append(row)
    chart = book.create_chartsheet("Chart", 0)
    drawn = openpyxl.chart.LineChart()
    drawn.add_data(openpyxl.chart.Reference(book["Sheet"], min_col=2, min_row=1, max_row=2), titles_from_data=True)
    chart.add_chart(drawn)
    out = io.BytesIO()
    book.save(out)
    columns = [{"name": "id", "type": "integer"}, {"name": "x", "type": "integer"}]
    assert read({"people.xlsx": out.getvalue()}, columns, format={"type": "excel"}).sql("id, x") == [(1, 2)]


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "sav", "dta"])
def test_a_file_without_rows_is_an_empty_table_where_the_contract_lets_it_be(read, tmp_path, kind):
    frame, path = pd.DataFrame({"id": [1.0], "x": [2.0]}).iloc[:0], tmp_path / f"people.{kind}"
    if kind == "xlsx":
        path.write_bytes(workbook([["id", "x"]]))
    elif kind == "parquet":
        path.write_bytes(parquet(tmp_path, "select 1 as id, 2 as x where false"))
    else:
        {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[kind](frame, str(path))
    form = {"xlsx": "excel", "sav": "spss", "dta": "stata"}.get(kind, kind)
    columns = [{"name": "id", "type": "integer"}, {"name": "x", "type": "integer"}]
    assert read({f"people.{kind}": path}, columns, format={"type": form}).rules == ["ENVELOPE-ROWS"]
    seen = read({f"people.{kind}": path}, columns, format={"type": form}, entity={"minimum_rows": 0})
    assert (seen.rules, seen.rows()) == ([], [])
