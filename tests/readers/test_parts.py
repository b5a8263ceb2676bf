"""Parts: however a file is cut and however many threads read it, it is the same table and the same bytes."""

import duckdb
import pytest

from hims_pipeline.readers.files import envelope
from hims_pipeline.readers.typing.parquet_join import join, rows_of
from hims_pipeline.readers.typing.thrift import Reader, Writer

COLUMNS = ({"name": "id", "type": "integer"}, {"name": "w", "type": "decimal"}, {"name": "place"})


def content(rows: int, newline: str = "\n", bom: bytes = b"") -> bytes:
    places = ("Tunis", "صفاقس", '"Béja; nord"')
    return bom + newline.join(["id;w;place", *(f"{n};{n / 4:.2f};{places[n % 3]}" for n in range(rows)), ""]).encode()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("rows", [1, 6, 7, 8, 200])
def test_cuts_lose_and_double_nothing(read, monkeypatch, rows, newline):
    monkeypatch.setattr(envelope, "PART_RECORDS", 7)
    monkeypatch.setattr(envelope, "BLOCK", 64)
    seen = read({"people.csv": content(rows, newline, b"\xef\xbb\xbf")}, COLUMNS, format={"delimiter": ";"})
    assert seen.findings == ()
    assert seen.sql("id, _line") == [(n, n + 2) for n in range(rows)]
    assert seen.sql("place")[2:3] == ([("Béja; nord",)] if rows > 2 else [])


def test_the_same_bytes_each_time_and_with_any_number_of_threads(read, monkeypatch):
    monkeypatch.setattr(envelope, "PART_RECORDS", 5_000)
    hashes = set()
    for threads in (1, 2, 2, 4):
        seen = read({"people.csv": content(60_000)}, COLUMNS, format={"delimiter": ";"}, settings={"threads": threads})
        assert seen.result.entities["people"].rows == 60_000
        hashes.add(seen.result.entities["people"].sha256)
    assert len(hashes) == 1


def test_errors_of_one_part_are_found_in_their_line(read, monkeypatch):
    monkeypatch.setattr(envelope, "PART_RECORDS", 10)
    lines = content(95).splitlines(keepends=True)
    lines[77] = b"1.5;1;x\n"
    seen = read({"people.csv": b"".join(lines)}, COLUMNS, format={"delimiter": ";"})
    assert seen.findings[0].lines == (78,)


def test_joined_files_read_as_one(tmp_path):
    parts = []
    with duckdb.connect() as con:
        for number in range(3):
            parts.append(tmp_path / f"{number}.parquet")
            con.execute(
                f"copy (select i + {number * 300_000} as i, 'x' || i % 7 as s, [i] as l, null::int as n, "
                f"i % 2 = 0 as b from range(300000) t(i)) to '{parts[-1]}' (format parquet)"
            )
        joined = join(parts, tmp_path / "all.parquet")
        assert joined.rows == rows_of(tmp_path / "all.parquet") == 900_000
        assert con.execute(
            f"select count(*), sum(i), count(distinct s), sum(l[1]), count(n), count(*) filter (b), "
            f"bool_and(i = file_row_number) from read_parquet('{tmp_path}/all.parquet', file_row_number = true)"
        ).fetchall() == [(900_000, sum(range(900_000)), 7, 3 * sum(range(300_000)), 0, 450_000, True)]
        assert con.execute(f"select s from '{tmp_path}/all.parquet' where i = 600001").fetchall() == [("x1",)]


def test_parts_of_different_schemas_are_not_joined(tmp_path):
    with duckdb.connect() as con:
        con.execute(f"copy (select 1 as a) to '{tmp_path}/a.parquet'; copy (select 1 as b) to '{tmp_path}/b.parquet'")
    with pytest.raises(ValueError, match="schemas"):
        join([tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "c.parquet")


def test_a_footer_survives_reading_and_writing(tmp_path):
    with duckdb.connect() as con:
        columns = ", ".join(f"i as column_{n}" for n in range(40))
        con.execute(f"copy (select {columns}, 'é' as s from range(300000) t(i)) to '{tmp_path}/a.parquet'")
    data = (tmp_path / "a.parquet").read_bytes()
    footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
    assert bytes(Writer().struct(Reader(footer).struct()).out) == footer
