"""What is not read cannot refuse: columns found by name, and drift that is told."""

import duckdb
import pandas as pd
import pyreadstat
import pytest

from tests.readers.test_second_look import sheet

WANTED = ({"name": "id", "type": "integer"}, {"name": "age", "type": "integer"})
NEW = {"weight2": [1, 2], "age": [30, 41], "note": ["x", "y"], "id": [1, 2]}  # other columns, in another order
BY_NAME = {"header": "by_name"}


def made(kind: str, columns: dict, tmp_path) -> bytes:
    frame = pd.DataFrame(columns)
    path = tmp_path / f"made.{kind}"
    if kind == "delimited":
        return frame.to_csv(index=False).encode()
    if kind == "excel":
        return sheet([list(frame.columns), *frame.values.tolist()])
    if kind == "parquet":
        with duckdb.connect() as con:
            con.register("frame", frame)
            con.execute(f"copy frame to '{path}' (format parquet)")
    elif kind == "spss":
        pyreadstat.write_sav(frame, str(path))
    else:
        pyreadstat.write_dta(frame, str(path))
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["delimited", "excel", "parquet", "spss", "stata"])
def test_named_columns_are_read_wherever_they_stand(read, tmp_path, kind):
    content = made(kind, NEW, tmp_path)
    assert "ENVELOPE-HEADER" in read({"people.x": content}, WANTED, format={"type": kind}).rules
    seen = read({"people.x": content}, WANTED, format={"type": kind, **BY_NAME})
    assert [(finding.rule, finding.severity) for finding in seen.findings] == [("ENVELOPE-DRIFT", "warning")]
    assert "2 names that the contract lacks" in seen.text
    assert seen.sql("id, age") == [(1, 30), (2, 41)]


@pytest.mark.parametrize("kind", ["delimited", "excel", "parquet", "spss", "stata"])
def test_a_named_column_that_is_gone_refuses(read, tmp_path, kind):
    content = made(kind, {name: NEW[name] for name in ("id", "note")}, tmp_path)
    seen = read({"people.x": content}, WANTED, format={"type": kind, **BY_NAME})
    assert [finding.rule for finding in seen.findings if finding.severity == "blocking"] == ["ENVELOPE-HEADER"]
    assert "missing: 'age'" in seen.text


def test_a_named_column_that_stands_twice_refuses(read):
    seen = read({"people.csv": b"id,age,age\n1,2,3\n"}, WANTED, format=BY_NAME)
    assert seen.rules == ["ENVELOPE-HEADER"]
    assert "named twice: 'age'" in seen.text


def test_a_layout_renames_what_changed_and_nothing_else(read):
    """A survey's next quarter: more columns than before, and one of those that are read has another name."""
    layouts = [{"name": "wide", "periods": ["2024"], "entities": {"people": {"names": {"age": "CH06"}}}}]
    content = b"CH06,x1,x2,id,x3\n30,,,1,\n41,,,2,\n"
    seen = read({"people.csv": content}, WANTED, format=BY_NAME, layouts=layouts)
    assert seen.sql("id, age") == [(1, 30), (2, 41)]


def test_quoted_newlines_in_columns_that_nobody_reads(read):
    seen = read({"people.csv": b'note,id,age\n"a\nb",1,30\n'}, WANTED, format=BY_NAME)
    assert seen.sql("id, age") == [(1, 30)]
