"""Fixed-width text: places from a DDI-Codebook or the contract, lines of one length, values as in other formats."""

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from hims_synthetic.formats import Variable, write_fixed_width

VARIABLES = (
    Variable("id", 4),
    Variable("sex", 1, values={1: "Male", 2: "Female", 9: "No answer"}, special={9: "MISSING"}),
    Variable("name", 8, numeric=False),
    Variable("weight", 7, decimals=4),
    Variable("birth", 10, numeric=False),
)
COLUMNS = (
    {"name": "id", "type": "integer"},
    {"name": "sex", "type": "integer", "codes": {1: "Male", 2: "Female"}, "missing": {9: "_U"}},
    {"name": "name"},
    {"name": "weight", "type": "decimal", "scale": 4},
    {"name": "birth", "type": "date"},
)
ROWS = [
    (1, 1, "Zoé", Decimal("1.2500"), dt.date(2000, 1, 2)),
    (2, 2, "منى", Decimal("-0.5000"), None),
    (1003, 9, None, None, dt.date(1999, 12, 31)),
]
QUERY = """select * from (values (1, 1, 'Zoé', 1.25, '2000-01-02'), (2, 2, 'منى', -0.5, null),
    (1003, 9, null, null, '1999-12-31')) as t(id, sex, name, weight, birth)"""
FORMAT = {"type": "fixed_width", "codebook": "*.xml"}


@pytest.fixture
def sent(tmp_path):
    """sent(variables, encoding) -> the data file and its codebook by name."""

    def make(variables=VARIABLES, query=QUERY, encoding="utf-8"):
        with duckdb.connect() as con:
            write_fixed_width(con, query, tmp_path / "people.txt", variables, tmp_path / "people.xml", encoding)
        return {name: (tmp_path / name).read_bytes() for name in ("people.txt", "people.xml")}

    return make


def test_values_stand_where_the_codebook_says(read, sent):
    seen = read(sent(), COLUMNS, format=FORMAT)
    assert seen.findings == ()
    assert [row[:5] for row in seen.rows()] == ROWS
    assert seen.sql("_line") == [(1,), (2,), (3,)]


@pytest.mark.parametrize("encoding", ["windows-1256", "utf-16"])
def test_places_count_characters_in_any_encoding(read, sent, encoding):
    query = QUERY.replace("Zoé", "زاهية")
    seen = read(sent(query=query, encoding=encoding), COLUMNS, format=FORMAT | {"encoding": encoding})
    assert seen.findings == ()
    assert seen.sql("name") == [("زاهية",), ("منى",), (None,)]


def test_without_a_codebook_the_contract_has_the_places(read, sent):
    places = {"id": (1, 4), "sex": (5, 1), "name": (6, 8), "weight": (14, 7), "birth": (21, 10)}
    columns = [one | {"start": places[one["name"]][0], "width": places[one["name"]][1]} for one in COLUMNS]
    columns[3]["implied_decimals"] = 4
    seen = read({"people.txt": sent()["people.txt"]}, columns, format={"type": "fixed_width"})
    assert seen.findings == ()
    assert [row[:5] for row in seen.rows()] == ROWS


def test_a_contract_without_places_does_not_load(contract_for):
    with pytest.raises(ValueError, match="each column has `start` and `width`: id, sex"):
        contract_for(COLUMNS, format={"type": "fixed_width"})


def test_values_that_do_not_fit_come_with_line_and_column(read, sent):
    files = sent()
    files["people.txt"] = files["people.txt"].replace(b"   22", b"  x22").replace(b"1999-12-31", b"1999-13-31")
    seen = read(files, COLUMNS, format=FORMAT)
    assert seen.rules == ["TYPES-INTEGER", "TYPES-DATE"]
    assert [finding.lines for finding in seen.findings] == [(2,), (3,)]


def test_lines_of_another_length_are_told_and_may_be_set_aside(read, sent):
    files = sent()
    lines = files["people.txt"].splitlines(keepends=True)
    files["people.txt"] = b"".join([lines[0], lines[1][3:], b"\n", lines[2]])
    seen = read(files, COLUMNS, format=FORMAT)
    assert seen.rules == ["ENVELOPE-LINE-LENGTH", "ENVELOPE-BLANK-LINE"]
    assert "do not have the 30 characters" in seen.text
    assert "(most of these have 27)" in seen.text
    assert [finding.lines for finding in seen.findings] == [(2,), (3,)]
    kept = read(files, COLUMNS, format=FORMAT, entity={"record_tolerance": 0.5})
    assert {finding.severity for finding in kept.findings} == {"warning"}
    assert kept.sql("id, _line") == [(1, 1), (1003, 4)]


def test_a_codebook_is_asked_for_and_asked_for_once(read, sent):
    files = sent()
    assert read({"people.txt": files["people.txt"]}, COLUMNS, format=FORMAT).rules == ["ENVELOPE-MISSING-CODEBOOK"]
    twice = read(files | {"other.xml": files["people.xml"]}, COLUMNS, format=FORMAT)
    assert twice.rules == ["ENVELOPE-TWICE"]
    assert read(files | {"notes.md": b"x"}, COLUMNS, format=FORMAT).rules == ["ENVELOPE-UNKNOWN-FILE"]


def test_a_codebook_of_another_wave_is_recognised(read, sent):
    files = sent()
    renamed = files["people.xml"].replace(b'name="sex"', b'name="P03"')
    seen = read(files | {"people.xml": renamed}, COLUMNS, format=FORMAT)
    assert seen.rules == ["ENVELOPE-HEADER"]
    assert "missing: 'sex'; not in the contract: 'P03'" in seen.text
    agreed = [one | ({"width": 2} if one["name"] == "sex" else {}) for one in COLUMNS]
    seen = read(files, agreed, format=FORMAT)
    assert seen.rules == ["ENVELOPE-CODEBOOK"]
    assert "says characters 5 to 5 with 0 decimals; the contract says 5 to 6" in seen.text


def test_fields_must_not_share_characters(read, sent):
    files = sent()
    files["people.xml"] = files["people.xml"].replace(b'StartPos="5" EndPos="5"', b'StartPos="4" EndPos="4"')
    assert read(files, COLUMNS, format=FORMAT).rules == ["ENVELOPE-CODEBOOK"]


def test_labels_that_differ_are_a_warning(read, sent):
    files = sent()
    files["people.xml"] = files["people.xml"].replace(b"Female", b"Other").replace(b' missing="Y"', b"")
    seen = read(files, COLUMNS, format=FORMAT)
    assert seen.rules == ["ENVELOPE-LABELS"]
    assert "labels these codes in other words: 2" in seen.text
    assert len(seen.rows()) == 3


def test_a_counted_code_that_the_codebook_calls_missing_refuses(read, sent):
    files = sent()
    files["people.xml"] = files["people.xml"].replace(b"<catgry><catValu>1<", b'<catgry missing="Y"><catValu>1<')
    assert "ENVELOPE-MISSING-DECLARED" in read(files, COLUMNS, format=FORMAT).rules


HOSTILE = {
    "billion laughs": b'<!DOCTYPE codeBook [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><codeBook>&b;</codeBook>',
    "outer entity": b'<!DOCTYPE codeBook [<!ENTITY x SYSTEM "file:///etc/passwd">]><codeBook>&x;</codeBook>',
    "cut off": b"<codeBook><dataDscr><var name='id'><location StartPos='1'",
    "no codebook": b"<html><body>502</body></html>",
    "no variable": b"<codeBook/>",
    "no place": b"<codeBook><dataDscr><var name='id'/></dataDscr></codeBook>",
    "no number": b"<codeBook><dataDscr><var name='id'><location StartPos='a' width='4'/></var></dataDscr></codeBook>",
    "nested": b"<codeBook>" + b"<a>" * 99,
    "binary": bytes(range(256)),
    "empty": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_bad_codebook_refuses_the_delivery_and_nothing_else(read, sent, content):
    seen = read(sent() | {"people.xml": content}, COLUMNS, format=FORMAT)
    assert seen.rules == ["ENVELOPE-CODEBOOK"]
    assert "passwd" not in seen.text


def test_an_older_codebook_may_name_its_dtd(read, sent):
    files = sent()
    head = b'<?xml version="1.0"?><!DOCTYPE codeBook SYSTEM "Version2-0.dtd"><codeBook '
    files["people.xml"] = head + files["people.xml"].split(b"<codeBook ", 1)[1]
    assert read(files, COLUMNS, format=FORMAT).findings == ()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text.replace(b"2000-", b"\x00000-"), "ENVELOPE-NUL"),
        (lambda text: text.replace(b"2000-", b"\x01000-"), "ENVELOPE-CONTROL"),
        (lambda text: text.replace(b"   11", b"\t  11"), "ENVELOPE-CONTROL"),
        (lambda text: text[:-5], "ENVELOPE-TRUNCATED"),
        (lambda text: b"<?xml version='1.0'?>" + text, "ENVELOPE-KIND"),
        (lambda text: text.decode().encode("windows-1256", "replace"), "ENVELOPE-ENCODING"),
        (lambda text: b"", "ENVELOPE-EMPTY"),
    ],
)
def test_a_file_that_is_no_such_text(read, sent, change, rule):
    files = sent()
    assert rule in read(files | {"people.txt": change(files["people.txt"])}, COLUMNS, format=FORMAT).rules


def test_one_codebook_may_describe_several_files(read, sent):
    files = sent()
    other = b'<fileDscr ID="F2"><fileTxt><fileName>other.txt</fileName></fileTxt></fileDscr>'
    variable = b'<var name="id" files="F2"><location StartPos="1" EndPos="9"/></var>'
    book = files["people.xml"].replace(b"<dataDscr>", other + b"<dataDscr>" + variable)
    assert read(files | {"people.xml": book}, COLUMNS, format=FORMAT).findings == ()
    renamed = read({"people2.txt": files["people.txt"], "people.xml": book}, COLUMNS, format=FORMAT)
    assert renamed.rules == ["ENVELOPE-CODEBOOK"]
