"""What does not fit: raw values in the identified zone alone, and what the contract tolerates set aside."""

import stat

import duckdb
import pytest

from hims_pipeline.readers.files import envelope

COLUMNS = (
    {"name": "id", "type": "integer"},
    {"name": "age", "type": "integer", "sensitivity": "sensitive"},
    {"name": "k"},
)


def lines(count: int) -> list[str]:
    return ["id,age,k", *(f"{n},{n % 90},x" for n in range(count))]


def written(rows: list[str]) -> bytes:
    return ("\n".join(rows) + "\n").encode()


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(envelope, "PART_RECORDS", 7)


def rejects(seen):
    path = seen.settings.identified / "rejects" / "demo" / "2024" / seen.folder.name / "people.parquet"
    for place in (path.parent, path.parent.parent, seen.settings.identified):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700 or place == path.parent.parent
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with duckdb.connect() as con:
        return con.execute(f"select * from '{path}' order by line").fetchall()


def test_raw_values_stand_in_the_reject_table_only(read):
    rows = lines(20)
    rows[3], rows[9] = "2,secret-a,x", "8,1.5,x"
    seen = read({"people.csv": written(rows)}, COLUMNS)
    assert rejects(seen) == [
        (4, "age", "secret-a", "other text", ""),
        (10, "age", "1.5", "with a decimal fraction", ""),
    ]
    assert "secret" not in seen.text + "".join(seen.said)


@pytest.mark.parametrize("tolerance", [0.05, 0.049])
def test_misfits_within_the_tolerance_are_set_aside(read, small_parts, tolerance):
    rows = lines(100)
    rows[3], rows[50], rows[51], rows[90] = "2,x,x", "49,1", "50,y,x,z", '89,"z"z,x'
    rows.insert(60, "")
    seen = read({"people.csv": written(rows)}, COLUMNS, entity={"record_tolerance": tolerance})
    tolerated = tolerance == 0.05
    assert {finding.severity for finding in seen.findings} == ({"warning"} if tolerated else {"blocking"})
    assert {f.rule: f.lines for f in seen.findings} == {
        "ENVELOPE-COLUMNS": (51, 52),
        "ENVELOPE-QUOTES": (92,),
        "ENVELOPE-BLANK-LINE": (61,),
        "TYPES-INTEGER": (4,),
    }
    if tolerated:
        file = seen.result.entities["people"]
        assert (file.rows, file.rejected) == (96, 5)
        assert seen.sql("count(*), sum(id), count(*) filter (_line = id + 2 or id >= 59)") == [
            (96, sum(range(100)) - 2 - 49 - 50 - 89, 96)
        ]
        assert len(rejects(seen)) == 5


def test_quoted_newlines_and_rejects_together(read):
    rows = lines(50)
    rows[5], rows[30] = '4,4,"a\nb"', "29,1"
    seen = read({"people.csv": written(rows)}, COLUMNS, entity={"record_tolerance": 0.1})
    assert [(f.lines, f.lines_are) for f in seen.findings] == [((31,), "record")]
    assert seen.sql("_line", "people")[28:31] == [(30,), (32,), (33,)]


def test_rejects_of_an_earlier_reading_go(read):
    rows = lines(9)
    rows[3] = "2,x,x"
    seen = read({"people.csv": written(rows)}, COLUMNS)
    assert rejects(seen)
    again = read({"people.csv": written(lines(9))}, COLUMNS)
    assert not (again.settings.identified / "rejects").exists()
