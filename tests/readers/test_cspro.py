"""Data files of CSPro: several entities from one file, places from the dictionary, both kinds of dictionary."""

import io
import json
import zipfile
from decimal import Decimal

import duckdb
import pytest

from hims_synthetic.formats import CsproRecord, Variable, write_cspro

IDS = (Variable("GOV", 2, zero_fill=True), Variable("HH", 3))
HOUSE = CsproRecord(
    "HOUSE_REC",
    "1",
    "select * from (values (1, 1, 2, 'Zoé'), (1, 2, 3, null), (12, 1, null, 'صفاقس')) as t(GOV, HH, ROOMS, PLACE)",
    (Variable("ROOMS", 2, zero_fill=True), Variable("PLACE", 10, numeric=False)),
)
PERSON = CsproRecord(
    "PERSON_REC",
    "2",
    """select * from (values (1, 1, 1, 1, 1234.5, 1.25, 7, 70), (1, 1, 2, 2, null, null, null, 3),
        (1, 2, 1, 9, -0.5, -12.5, 1, null), (12, 1, 1, 2, 0, 0, null, null))
        as t(GOV, HH, LINE, SEX, INCOME, WEIGHT, "TRIP(1)", "TRIP(2)")""",
    (
        Variable("LINE", 2),
        Variable(
            "SEX",
            1,
            {"EN": "Sex", "AR": "الجنس"},
            values={1: {"EN": "Male", "AR": "ذكر"}, 2: {"EN": "Female", "AR": "أنثى"}, 9: "?"},
            special={9: "REFUSED"},
        ),
        Variable("INCOME", 8, decimals=2),
        Variable("WEIGHT", 6, decimals=2, decimal_mark=True),
        Variable("TRIP", 2, occurrences=2),
    ),
)
HOUSES = {
    "title": {"en": "Households"},
    "grain": "a household",
    "files": ["census*.dat"],
    "format": {"type": "cspro", "record": "HOUSE_REC"},
    "columns": [
        {"name": "GOV", "pattern": "[0-9]{2}"},
        {"name": "HH", "type": "integer"},
        {"name": "ROOMS", "type": "integer"},
        {"name": "PLACE"},
    ],
}
PERSONS = {
    "title": {"en": "Persons"},
    "grain": "a person",
    "files": ["census*.dat"],
    "format": {"type": "cspro", "record": "PERSON_REC"},
    "columns": [
        {"name": "GOV"},
        {"name": "HH", "type": "integer"},
        {"name": "LINE", "type": "integer"},
        {"name": "SEX", "type": "integer", "codes": {1: "Male", 2: "أنثى"}, "missing": {9: "_R"}},
        {"name": "INCOME", "type": "decimal"},
        {"name": "WEIGHT", "type": "decimal"},
        {"name": "TRIP(1)", "type": "integer"},
        {"name": "TRIP(2)", "type": "integer"},
    ],
}
ENTITIES = {"houses": HOUSES, "persons": PERSONS}
READ_HOUSES = [("01", 1, 2, "Zoé", 1), ("01", 2, 3, None, 4), ("12", 1, None, "صفاقس", 6)]
READ_PERSONS = [
    ("01", 1, 1, 1, Decimal("1234.50"), Decimal("1.25"), 7, 70, 2),
    ("01", 1, 2, 2, None, None, None, 3, 3),
    ("01", 2, 1, 9, Decimal("-0.50"), Decimal("-12.50"), 1, None, 5),
    ("12", 1, 1, 2, Decimal("0.00"), Decimal("0.00"), None, None, 7),
]


@pytest.fixture
def sent(tmp_path):
    """sent(version, records) -> the data file and its dictionary by name."""

    def make(version=7, records=(HOUSE, PERSON), languages=("EN", "AR"), encoding="utf-8"):
        data, book = tmp_path / "census.dat", tmp_path / "census.dcf"
        with duckdb.connect() as con:
            write_cspro(con, data, book, "CENSUS", IDS, records, version, languages, encoding)
        return {"census.dat": data.read_bytes(), "census.dcf": book.read_bytes()}

    return make


def cspro(read, files, **changes):
    return read(files, (), entities=changes.pop("entities", ENTITIES), **changes)


@pytest.mark.parametrize("version", [7, 8])
def test_two_entities_are_read_from_one_file(read, sent, version):
    seen = cspro(read, sent(version))
    assert seen.findings == ()
    assert seen.rows("houses") == READ_HOUSES
    assert seen.rows("persons") == READ_PERSONS


def test_files_and_dictionaries_older_than_utf_8(read, sent):
    files = sent(encoding="windows-1256")
    forms = {name: one | {"format": one["format"] | {"encoding": "windows-1256"}} for name, one in ENTITIES.items()}
    assert cspro(read, files, entities=forms).rows("houses") == READ_HOUSES
    assert cspro(read, files).rules == ["ENVELOPE-DICTIONARY"]
    in_utf_8 = files["census.dcf"].decode("windows-1256").encode()
    assert cspro(read, files | {"census.dcf": in_utf_8}).rules == ["ENVELOPE-ENCODING"]


def test_data_and_dictionary_may_come_in_one_archive(read, sent):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sent().items():
            archive.writestr(f"wave/{name}", content)
    assert cspro(read, {"wave.zip": packed.getvalue()}).rows("persons") == READ_PERSONS


def test_what_is_wrong_with_the_file_is_told_once(read, sent):
    files = sent()
    seen = cspro(read, files | {"census.dat": files["census.dat"][:-3]})
    assert seen.rules == ["ENVELOPE-TRUNCATED"]
    seen = cspro(read, files | {"census.dat": files["census.dat"] + b"7 1  1x\n\n9\n"})
    assert seen.rules == ["ENVELOPE-RECORD-TYPE"]
    assert (seen.findings[0].count, seen.findings[0].lines) == (3, (8, 9, 10))


def test_a_file_serves_its_records_once_and_a_dictionary_none(read, sent):
    files = sent()
    assert cspro(read, {"census.dat": files["census.dat"]}).rules == ["ENVELOPE-MISSING-CODEBOOK"]
    assert cspro(read, files | {"census2.dat": files["census.dat"]}).rules == ["ENVELOPE-TWICE"]
    assert cspro(read, files | {"old.dcf": files["census.dcf"]}).rules == ["ENVELOPE-TWICE"]
    assert cspro(read, files | {"notes.txt": b"x"}).rules == ["ENVELOPE-UNKNOWN-FILE"]
    assert cspro(read, {"census.dcf": files["census.dcf"]}).rules == ["ENVELOPE-MISSING-ENTITY"] * 2


def test_a_record_that_no_entity_reads_is_a_warning(read, sent):
    seen = cspro(read, sent(), entities={"persons": PERSONS})
    assert seen.rules == ["ENVELOPE-UNREAD-RECORD"]
    assert "HOUSE_REC (3 lines)" in seen.text
    assert seen.rows("persons") == READ_PERSONS


def test_a_record_without_a_line(read, sent):
    files = sent()
    files["census.dat"] = b"".join(line for line in files["census.dat"].splitlines(keepends=True) if line[:1] == b"2")
    assert cspro(read, files).rules == ["ENVELOPE-ROWS"]
    spared = cspro(read, files, entities={"houses": HOUSES | {"required": False}, "persons": PERSONS})
    assert spared.findings == ()
    assert list(spared.result.entities) == ["persons"]


def test_a_line_may_lack_blanks_but_no_digit(read, sent):
    files = sent()
    lines = files["census.dat"].splitlines(keepends=True)
    assert lines[2] == b"201  1 22                 3\n"
    cut = files | {"census.dat": b"".join([*lines[:2], b"201  1 22      1\n", *lines[3:]])}
    seen = cspro(read, cut)
    assert seen.rules == ["ENVELOPE-LINE-LENGTH"]
    assert seen.findings[0].lines == (3,)
    longer = files | {"census.dat": b"".join([lines[0][:-1] + b"        x\n", *lines[1:]])}
    assert cspro(read, longer).rules == ["ENVELOPE-LINE-LENGTH"]


def test_special_values_and_labels_in_any_language(read, sent):
    columns = [*PERSONS["columns"]]
    columns[3] = {"name": "SEX", "type": "integer", "codes": {1: "ذكر", 2: "Woman", 9: "?"}}
    seen = cspro(read, sent(8), entities={"houses": HOUSES, "persons": PERSONS | {"columns": columns}})
    assert seen.rules == ["ENVELOPE-MISSING-DECLARED", "ENVELOPE-LABELS"]
    assert "labels these codes in other words: 2; calls these codes missing, which the contract takes" in seen.text


SHARED = b"""[Dictionary]\r\nName=D\r\nRecordTypeStart=1\r\nRecordTypeLen=1\r\n[Level]\r\nName=L\r\n[IdItems]\r
[Item]\r\nName=GOV\r\nStart=2\r\nLen=2\r\n[Item]\r\nName=HH\r\nStart=4\r\nLen=3\r\n[Record]\r\nName=HOUSE_REC\r
RecordTypeValue='1'\r\n[Item]\r\nName=ROOMS\r\nStart=6\r\nLen=2\r\n"""
BROKEN = {
    "no dictionary": b"hello\n",
    "binary": b"\0\1\2\xff\n",
    "empty": b"",
    "cut in a line": lambda good: good[: len(good) // 2].rstrip(b"\r\n"),
    "cut behind a line": lambda good: good[: good.index(b"Len=8")],
    "json cut off": b'{"fileType": "dictionary", "levels": [',
    "json of another kind": b'{"fileType": "dictionary", "levels": 3}',
    "json too deep": b'{"a":' * 100_000,
    "another wave": lambda good: good.replace(b"PERSON_REC", b"PEOPLE_REC").replace(b"HOUSE_REC", b"DWELLING_REC"),
    "places shared": SHARED,
    "no number": lambda good: good.replace(b"Len=8", b"Len=eight"),
    "image": b'{"fileType":"dictionary","levels":[{"ids":{"items":[]},"records":[{"name":"PERSON_REC","items":'
    b'[{"name":"P","contentType":"image","length":1}]}]}]}',
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_bad_dictionary_refuses_the_delivery(read, sent, change):
    files = sent()
    seen = cspro(read, files | {"census.dcf": change(files["census.dcf"]) if callable(change) else change})
    assert set(seen.rules) == {"ENVELOPE-DICTIONARY"}


def test_a_dictionary_with_other_items(read, sent):
    files = sent()
    seen = cspro(read, files | {"census.dcf": files["census.dcf"].replace(b"Name=INCOME", b"Name=EARNINGS")})
    assert seen.rules == ["ENVELOPE-HEADER"]
    assert "missing: 'INCOME'; not in the contract: 'EARNINGS'" in seen.text


TWO_LEVELS = b"""[Dictionary]
Name=D
RecordTypeStart=1
RecordTypeLen=1
Positions=Absolute
[Level]
Name=HH_LEVEL
[IdItems]
[Item]
Name=HH
Start=2
Len=2
[Record]
Name=HOUSE_REC
RecordTypeValue='H'
[Item]
Name=ROOMS
Start=10
Len=2
[Level]
Name=WOMAN_LEVEL
[IdItems]
[Item]
Name=LINE
Start=4
Len=2
[Record]
Name=BIRTH_REC
RecordTypeValue='B'
[Item]
Name=BORN
Start=10
Len=6
Occurrences=2
[Item]
Name=BORN_YEAR
Start=10
Len=4
ItemType=SubItem
[Item]
Name=BORN_MONTH
Start=14
Len=2
ItemType=SubItem
"""


def level_json() -> bytes:
    def item(name, length, **more):
        return {"name": name, "contentType": "numeric", "length": length, **more}

    parts = [item("BORN_YEAR", 4, subitem=True, subitemOffset=0), item("BORN_MONTH", 2, subitem=True, subitemOffset=4)]
    born = item("BORN", 6, occurrences={"maximum": 2})
    gap = item("GAP", 4)
    house = {"name": "HOUSE_REC", "recordType": "H", "items": [gap, item("ROOMS", 2)]}
    birth = {"name": "BIRTH_REC", "recordType": "B", "items": [gap, born, *parts]}
    levels = [
        {"ids": {"items": [item("HH", 2, start=2)]}, "records": [house]},
        {"ids": {"items": [item("LINE", 2, start=4)]}, "records": [birth]},
    ]
    head = {"fileType": "dictionary", "recordType": {"start": 1, "length": 1}, "levels": levels}
    return json.dumps(head).encode()


@pytest.mark.parametrize("relative", [False, True])
def test_two_levels_occurrences_and_subitems(read, relative):
    data = b"H 1       4\nB 1 2    199903200112\nB 1 3    198007\n"
    gap = [{"name": "GAP", "type": "integer", "may_be_empty": True}] * relative
    names = ["HH", "LINE", "BORN(1)", "BORN(2)", "BORN_YEAR(1)", "BORN_YEAR(2)", "BORN_MONTH(1)", "BORN_MONTH(2)"]
    births = [{"name": name, "type": "integer", "allow": ["leading_zeros"]} for name in names]
    common = {"title": {"en": "x"}, "grain": "x", "files": ["d.dat"]}
    entities = {
        "births": common | {"format": {"type": "cspro", "record": "BIRTH_REC"}, "columns": births + gap},
        "houses": common
        | {
            "format": {"type": "cspro", "record": "HOUSE_REC"},
            "columns": [{"name": "HH", "type": "integer"}, {"name": "ROOMS", "type": "integer"}, *gap],
        },
    }
    seen = cspro(read, {"d.dat": data, "d.dcf": level_json() if relative else TWO_LEVELS}, entities=entities)
    assert seen.findings == ()
    assert [row[:8] for row in seen.rows("births")] == [
        (1, 2, 199903, 200112, 1999, 2001, 3, 12),
        (1, 3, 198007, None, 1980, None, 7, None),
    ]
    assert seen.sql("HH, ROOMS", "houses") == [(1, 4)]


def test_a_format_names_its_record_and_only_this_one_does(contract_for):
    with pytest.raises(ValueError, match="type cspro names the record"):
        contract_for([{"name": "a"}], format={"type": "cspro"})
    with pytest.raises(ValueError, match="`record` would do nothing"):
        contract_for([{"name": "a"}], format={"record": "X"})
    with pytest.raises(ValueError, match="`codebook` would do nothing"):
        contract_for([{"name": "a"}], format={"codebook": "*.xml"})
