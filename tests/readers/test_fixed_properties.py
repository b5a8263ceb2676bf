"""What is written at fixed places, in any layout, is read back equal: numbers, texts in any script, and nothing."""

from decimal import Decimal

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hims_synthetic.formats import CsproRecord, Variable, write_cspro, write_fixed_width

# No blank at either end, which is padding; nothing that is composed anew in form NFC.
LETTERS = st.sampled_from("abzAZéçàùœمنىصفاقسح0123456789-'.,;:\"|  ")
TEXTS = st.text(LETTERS, max_size=8).map(str.strip).map(lambda text: text or None)
WHOLE = st.none() | st.integers(-9_999, 99_999)
MONEY = st.none() | st.decimals(-9_999, 99_999, places=2)
ROWS = st.lists(st.tuples(TEXTS, WHOLE, MONEY, MONEY), min_size=1, max_size=6)
WIDTHS = st.tuples(st.integers(8, 12), st.integers(5, 9), st.integers(8, 12), st.integers(9, 12))
TYPES = "varchar, bigint, decimal(18, 2), decimal(18, 2)"
COLUMNS = [
    {"name": "n", "type": "integer"},
    {"name": "text"},
    {"name": "whole", "type": "integer"},
    {"name": "implied", "type": "decimal"},
    {"name": "written", "type": "decimal"},
]
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def table(con: duckdb.DuckDBPyConnection, rows) -> str:
    con.execute("create table t (n bigint, text varchar, whole bigint, implied decimal(18,2), written decimal(18,2))")
    con.executemany("insert into t values ($1, $2, $3, $4, $5)", [(n, *row) for n, row in enumerate(rows)])
    return "select * from t order by n"


def variables(widths, zero_fill: bool) -> list[Variable]:
    return [
        Variable("text", widths[0], numeric=False),
        Variable("whole", widths[1], zero_fill=zero_fill),
        Variable("implied", widths[2], decimals=2, zero_fill=zero_fill),
        Variable("written", widths[3], decimals=2, decimal_mark=True, zero_fill=zero_fill),
    ]


def expected(rows):
    return [(n, text, whole, *(None if v is None else Decimal(v) for v in more)) for n, (text, whole, *more) in rows]


@QUIET
@given(ROWS, WIDTHS, st.sampled_from(["utf-8", "utf-16"]))
def test_fixed_width_comes_back(read, tmp_path, rows, widths, encoding):
    columns = [Variable("n", 3), *variables(widths, zero_fill=False)]
    with duckdb.connect() as con:
        write_fixed_width(con, table(con, rows), tmp_path / "people.txt", columns, tmp_path / "people.xml", encoding)
    files = {name: (tmp_path / name).read_bytes() for name in ("people.txt", "people.xml")}
    seen = read(files, COLUMNS, format={"type": "fixed_width", "codebook": "*.xml", "encoding": encoding})
    assert seen.findings == ()
    assert [row[:5] for row in seen.rows()] == expected(enumerate(rows))


@QUIET
@given(ROWS, WIDTHS, st.booleans(), st.sampled_from([7, 8]))
def test_cspro_comes_back(read, tmp_path, rows, widths, zero_fill, version):
    with duckdb.connect() as con:
        record = CsproRecord("REC", "P", table(con, rows), variables(widths, zero_fill))
        other = CsproRecord("OTHER", "H", "select 0 as n, 'x' as x", [Variable("x", 1, numeric=False)])
        ids = [Variable("n", 3, zero_fill=zero_fill)]
        write_cspro(con, tmp_path / "people.dat", tmp_path / "d.dcf", "D", ids, [other, record], version)
    files = {name: (tmp_path / name).read_bytes() for name in ("people.dat", "d.dcf")}
    seen = read(files, COLUMNS, format={"type": "cspro", "record": "REC"})
    assert seen.rules == ["ENVELOPE-UNREAD-RECORD"]
    assert [row[:5] for row in seen.rows()] == expected(enumerate(rows))
