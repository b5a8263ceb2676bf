"""Parts: however a file is cut and however many threads read it, it is the same table and the same bytes."""

from dataclasses import replace

import duckdb
import pytest

from hims_pipeline.lake.files import sha256_of
from hims_pipeline.readers.files import envelope
from hims_pipeline.readers.typing.parts import open_for_parts, run_in_parallel

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
        hashes.add(tuple(part.sha256 for part in seen.result.entities["people"].parts))
    assert len(hashes) == 1


def test_errors_of_one_part_are_found_in_their_line(read, monkeypatch):
    monkeypatch.setattr(envelope, "PART_RECORDS", 10)
    lines = content(95).splitlines(keepends=True)
    lines[77] = b"1.5;1;x\n"
    seen = read({"people.csv": b"".join(lines)}, COLUMNS, format={"delimiter": ";"})
    assert seen.findings[0].lines == (78,)


def test_a_long_entity_is_a_file_a_part_in_order(read, monkeypatch):
    monkeypatch.setattr(envelope, "PART_RECORDS", 10)
    seen = read({"people.csv": content(25)}, COLUMNS, format={"delimiter": ";"})
    entity = seen.result.entities["people"]
    names = [f"people-{number:06d}.parquet" for number in range(3)]
    assert [part.file for part in entity.parts] == sorted(path.name for path in seen.folder.iterdir()) == names
    assert [part.rows for part in entity.parts] == [10, 10, 5]
    assert all(part.sha256 == sha256_of(seen.folder / part.file) for part in entity.parts)
    assert entity.bytes == sum(path.stat().st_size for path in entity.paths(seen.folder))


def test_rows_that_are_set_aside_leave_no_file_of_the_first_attempt(read, monkeypatch):
    monkeypatch.setattr(envelope, "PART_RECORDS", 10)
    lines = content(95).splitlines(keepends=True)
    lines[77] = b"1.5;1;x\n"
    seen = read({"people.csv": b"".join(lines)}, COLUMNS, format={"delimiter": ";"}, entity={"record_tolerance": 0.05})
    entity = seen.result.entities["people"]
    assert (entity.rows, entity.rejected) == (94, 1)
    assert sorted(path.name for path in seen.folder.iterdir()) == [part.file for part in entity.parts]
    assert seen.sql("count(*), count(distinct id)") == [(94, 94)]


def test_an_error_ends_what_has_not_begun(settings_for, tmp_path):
    ended: list[int] = []
    tasks = ["select 1", "select error('no')", *["select 1"] * 50]
    with open_for_parts(settings_for(tmp_path)) as con, pytest.raises(duckdb.Error, match="no"):
        run_in_parallel(replace(settings_for(tmp_path), threads=1), con, tasks, done=ended.append)
    assert len(ended) < 5


def test_rows_come_in_the_order_of_the_tasks(settings_for, tmp_path):
    settings = replace(settings_for(tmp_path), threads=4)
    with open_for_parts(settings) as con:
        assert run_in_parallel(settings, con, [f"select {n}" for n in range(30)]) == [[(n,)] for n in range(30)]
