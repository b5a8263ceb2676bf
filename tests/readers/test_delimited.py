"""Delimited text: what loads, loads exactly; types are told by how a value is written."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest

GOOD = "id,name,birth,weight\n1,Ali,2000-02-29,1.5\n2,منى,1999-12-31,2.0000\n3,,,\n".encode()
ROWS = [
    (1, "Ali", dt.date(2000, 2, 29), Decimal("1.5000"), 2),
    (2, "منى", dt.date(1999, 12, 31), Decimal("2.0000"), 3),
    (3, None, None, None, 4),
]


def test_a_plain_file_loads_exactly(read):
    seen = read({"people.csv": GOOD})
    assert seen.findings == ()
    assert seen.result.stage == "read"
    assert seen.rows() == ROWS
    file = seen.result.entities["people"]
    assert [part.file for part in file.parts] == ["people.parquet"]
    assert (file.sent_as, file.rows, file.rejected) == ("file 1", 3, 0)
    assert file.bytes == (seen.folder / "people.parquet").stat().st_size


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"\xef\xbb\xbf" + GOOD, {}),
        (GOOD.replace(b"\n", b"\r\n"), {}),
        (GOOD.decode().encode("utf-16"), {"encoding": "utf-16"}),
        (GOOD.decode().encode("cp1256"), {"encoding": "windows-1256"}),
        (GOOD.replace(b",", b";"), {"delimiter": ";"}),
        (GOOD.replace(b"\n", b",\n"), {"trailing_delimiter": True}),
        (GOOD.replace(b"Ali", b'"Ali"').replace(b",,", b',"",'), {}),
        (GOOD.replace(b",,", b",NA,"), {"null_values": ["", "NA"]}),
        (GOOD.replace(b",", b";").replace(b"1.5", b"1,5").replace(b"2.0", b"2,0"), {"delimiter": ";", "decimal": ","}),
    ],
)
def test_the_same_table_however_it_is_written(read, content, form):
    seen = read({"people.csv": content}, format=form)
    assert seen.findings == ()
    assert seen.rows() == ROWS


def test_without_a_header_the_contract_names_the_columns(read):
    seen = read({"people.csv": GOOD.split(b"\n", 1)[1]}, format={"header": False})
    assert [row[:4] for row in seen.rows()] == [row[:4] for row in ROWS]
    assert seen.sql("_line") == [(1,), (2,), (3,)]


def test_quoted_newlines_of_any_kind_stay_what_they_are(read):
    content = GOOD.replace(b"\n", b"\r\n").replace(b"Ali", b'"A\nl\r\ni"').replace(b",,\r\n", b',"",\r\n')
    seen = read({"people.csv": content})
    assert seen.findings == ()
    assert seen.sql("name, _line") == [("A\nl\r\ni", 2), ("منى", 3), (None, 4)]


def test_text_keeps_what_stands_there_and_becomes_nfc(read):
    seen = read({"people.csv": "id,name,birth,weight\n1, cafe\u0301 ,,\n".encode()})
    assert seen.sql("name") == [(" café ",)]


def test_columns_outside_the_contract_and_free_text_are_not_written(read):
    columns = [{"name": "b", "type": "integer"}, {"name": "note", "sensitivity": "free_text"}]
    seen = read({"people.csv": b"a,b,note\nx,1,secret\n"}, columns, entity={"header": ["a", "b", "note"]})
    assert seen.sql("*") == [(1, 2)]
    assert b"secret" not in (seen.folder / "people.parquet").read_bytes()


def test_a_layout_renames_columns_and_changes_the_format(read):
    layout = {
        "name": "old",
        "periods": ["2023"],
        "entities": {"people": {"names": {"id": "NUM"}, "format": {"delimiter": ";"}}},
    }
    seen = read({"people.csv": GOOD.replace(b"id", b"NUM").replace(b",", b";")}, layouts=[layout], period_read="2023")
    assert seen.rows() == ROWS


BAD = {
    "integer": [
        "1.5",
        "1e2",
        "0x10",
        "1_000",
        " 1",
        "1 ",
        "+5",
        "007",
        "-0",
        "1,5",
        "١٢",
        "abc",
        "9223372036854775808",
        "5.",
        "NaN",
    ],
    "decimal": [
        "1.123456",
        "1e2",
        "1,5",
        " 1",
        "007",
        "+1",
        "inf",
        "1234567890123456789",
        "1.5.2",
        "0x10",
        "1_0",
        "5.",
    ],
    "number": ["inf", "nan", "-Infinity", "0x10", "1_000", "1,5", " 1", "1e999", "1e-999", "abc", "١", "+1", "5."],
    "date": [
        "2023-02-29",
        "29/02/2024",
        "2024-2-9",
        "2024-01-01 10:00",
        "20240101",
        "infinity",
        "epoch",
        " 2024-01-01",
        "12024-01-01",
        "2024-01-01 (BC)",
        "0000-01-01",
    ],
    "boolean": ["yes", "2", " true", "T"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in BAD.items() for text in texts])
def test_what_a_cast_would_swallow_is_a_finding(read, kind, text):
    columns = [{"name": "k"}, {"name": "v", "type": kind, "scale": 4, "sensitivity": "sensitive"}]
    seen = read({"people.csv": f'k,v\na,\nb,"{text}"\n'.encode()}, columns)
    assert seen.rules == [f"TYPES-{kind.upper()}"]
    assert seen.result.stage == "types"
    finding = seen.findings[0]
    assert (finding.file, finding.column, finding.count, finding.total, finding.lines) == (
        "file 1",
        "v",
        1,
        2,
        (3,),
    )
    assert seen.result.entities == {}
    assert not (seen.folder / "people.parquet").exists()


FINE = {
    "integer": [("-12", -12), ("0", 0), ("9223372036854775807", 9223372036854775807)],
    "decimal": [
        ("1.5", "1.5"),
        ("-0.50", "-0.5"),
        ("12", "12"),
        (".25", "0.25"),
        ("1.50000000", "1.5"),
        ("100", "100"),
    ],
    "number": [
        ("1.5", 1.5),
        ("1e-5", 1e-5),
        ("12", 12.0),
        ("43337.6910000001", 43337.6910000001),
        ("-.5", -0.5),
        ("0.0", 0.0),
    ],
    "date": [("2024-02-29", dt.date(2024, 2, 29)), ("1583-01-01", dt.date(1583, 1, 1))],
    "boolean": [("TRUE", True), ("0", False), ("1", True), ("false", False)],
}


@pytest.mark.parametrize(("kind", "text", "value"), [(k, *case) for k, cases in FINE.items() for case in cases])
def test_plain_spellings_are_read(read, kind, text, value):
    seen = read({"people.csv": f"k,v\na,{text}\n".encode()}, [{"name": "k"}, {"name": "v", "type": kind, "scale": 4}])
    assert seen.findings == ()
    assert seen.sql("v") == [(Decimal(value) if kind == "decimal" else value,)]


@pytest.mark.parametrize(
    ("kind", "allow", "text", "value"),
    [
        ("integer", "leading_zeros", "007", 7),
        ("integer", "plus_sign", "+7", 7),
        ("integer", "padding", " 7\t", 7),
        ("integer", "padding", "   ", None),
        ("integer", "zero_fraction", "7.0", 7),
        ("integer", "zero_fraction", "-7.000", -7),
        ("decimal", "leading_zeros", "007.5", Decimal("7.5")),
        ("number", "padding", " 7.5", 7.5),
        ("date", "padding", "2024-01-02 ", dt.date(2024, 1, 2)),
        ("text", "padding", " x ", "x"),
        ("boolean", "padding", " 1", True),
    ],
)
def test_what_the_contract_allows_is_read(read, kind, allow, text, value):
    columns = [{"name": "k"}, {"name": "v", "type": kind, "scale": 4, "allow": [allow]}]
    seen = read({"people.csv": f"k,v\na,{text}\n".encode()}, columns)
    assert seen.findings == ()
    assert seen.sql("v") == [(value,)]


def test_allowing_one_spelling_allows_no_other(read):
    columns = [{"name": "k"}, {"name": "v", "type": "integer", "allow": ["zero_fraction", "padding"]}]
    seen = read({"people.csv": b"k,v\na,7.5\nb,7.0\nc,007\nd,+7\n"}, columns)
    assert seen.findings[0].count == 3
    assert "1 with a decimal fraction, 1 with a plus sign, 1 with leading zeros" in seen.text


@pytest.mark.parametrize(
    ("form", "text"), [("%d/%m/%Y", "29/02/2024"), ("%Y%m%d", "20240229"), ("%d.%m.%y", "29.02.24")]
)
def test_dates_are_read_in_the_contracts_form_only(read, form, text):
    bounds = {"minimum": "1930-01-01", "maximum": "2024-12-31"}
    columns = [{"name": "d", "type": "date", "date_format": form, **bounds}, {"name": "k"}]
    assert read({"people.csv": f"d,k\n{text},a\n".encode()}, columns).sql("d") == [(dt.date(2024, 2, 29),)]
    assert read({"people.csv": b"d,k\n2024-02-29,a\n"}, columns).rules == ["TYPES-DATE"]


def test_all_findings_of_all_columns_come_at_once(read):
    seen = read({"people.csv": b"id,name,birth,weight\nx,a,x,1\n1.5,b,,2.123456\n"})
    assert [(f.column, f.count, f.lines) for f in seen.findings] == [
        ("id", 2, (2, 3)),
        ("birth", 1, (2,)),
        ("weight", 1, (3,)),
    ]


def test_identifiers_leave_as_pseudonyms_and_none_as_null(read):
    columns = [{"name": "cin", "sensitivity": "identifier", "pattern": "[0-9]{8}"}, {"name": "k"}]
    seen = read({"people.csv": "cin,k\n08765432,a\n ٠٨٧٦٥٤٣٢\u200f,b\n,c\n".encode()}, columns)
    first, second, third = seen.sql("cin")
    assert isinstance(first[0], uuid.UUID)
    assert first == second
    assert third == (None,)
    assert seen.result.key_version.startswith("demonstration-")
    assert b"08765432" not in (seen.folder / "people.parquet").read_bytes()


def test_a_malformed_identifier_is_a_finding_without_its_value(read):
    columns = [{"name": "cin", "sensitivity": "identifier", "pattern": "[0-9]{8}"}, {"name": "k"}]
    seen = read({"people.csv": b"cin,k\n08765432,a\n1234,b\n"}, columns)
    assert seen.rules == ["TYPES-IDENTIFIER"]
    assert seen.findings[0].lines == (3,)
    assert "1234" not in seen.text + "".join(seen.said)


TOO_MANY = ("{0},M,x,", "{0},M,,x", ",{0},M,x", '{0},"M","x",', '"{0}","M",,"x"', '{0},M,x,""', '{0},"a,b",x,')


@pytest.mark.parametrize("row", TOO_MANY)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_with_one_delimiter_too_many_is_refused_wherever_it_stands(read, row, end):
    columns = ({"name": "id", "type": "integer"}, {"name": "sex"}, {"name": "note"})
    for place in (0, 250, 499):
        rows = [f'{number},"M,F",' for number in range(500)]
        if place == 0:
            assert read({"people.csv": end.join(["id,sex,note", *rows, ""]).encode()}, columns).findings == ()
        rows[place] = row.format(place)
        seen = read({"people.csv": end.join(["id,sex,note", *rows, ""]).encode()}, columns)
        assert [one.rule for one in seen.findings if one.severity == "blocking"] == ["ENVELOPE-COLUMNS"]
        assert seen.findings[0].lines == (place + 2,)


SPELLINGS = [
    ({"type": "integer", "allow": ["minus_sign", "digit_groups"]}, ["\u22121\u2009056", "-5"], [-1056, -5]),
    ({"type": "integer", "allow": ["mark_groups"]}, ["1,056,247", "999", "-1,234"], [1_056_247, 999, -1234]),
    ({"type": "number", "allow": ["mark_groups"]}, ["1,234.5", "0.25"], [1234.5, 0.25]),
    ({"type": "integer", "allow": ["padding"]}, ["\u202f5", "5\u2009", "\u2007"], [5, 5, None]),
    ({"type": "text", "allow": ["padding"]}, ["\u202fa ", "\u2009"], ["a", None]),
    ({"type": "date", "date_format": "%d-%b-%Y"}, ["05-JAN-2024", "05-jan-2024"], [dt.date(2024, 1, 5)] * 2),
    ({"type": "date", "date_format": "%G-W%V-%u"}, ["2020-W53-7", "2024-W01-1"],
     [dt.date(2021, 1, 3), dt.date(2024, 1, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "sent", "values"), SPELLINGS)
def test_spellings_that_a_contract_allows(read, declared, sent, values):
    text = "n;x\n" + "".join(f"{n};{value}\n" for n, value in enumerate(sent))
    columns = [{"name": "n", "type": "integer"}, {"name": "x", **declared}]
    assert read({"people.csv": text.encode()}, columns, format={"delimiter": ";"}).sql("x") == [(v,) for v in values]


@pytest.mark.parametrize("sent", ["12,34", "1,2345", "1,234,5", "1 234", "\u2212\u22125", "5\u2212", "1,234.5"])
def test_other_groups_and_signs_are_no_numbers(read, sent):
    columns = [{"name": "n"}, {"name": "x", "type": "integer", "allow": ["mark_groups", "minus_sign"]}]
    assert read({"people.csv": f"n;x\na;{sent}\n".encode()}, columns, format={"delimiter": ";"}).rules == [
        "TYPES-INTEGER"
    ]


def test_a_mark_between_groups_that_may_be_a_decimal_mark_is_proposed_for_whole_numbers_alone(read):
    for kind, proposed in (("integer", True), ("decimal", False)):
        columns = [{"name": "n"}, {"name": "x", "type": kind}]
        seen = read({"people.csv": b"n;x\na;1,234\n"}, columns, format={"delimiter": ";"})
        assert ("mark_groups" in seen.text) is proposed


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"id,x\n1,a\n\xef\xbb\xbf2,b\n", 3), (b"\xef\xbb\xbfid,x\n1,a\n2,\xef\xbb\xbfb\n", 3)],
)
def test_a_byte_order_mark_within_a_file_is_no_part_of_a_value(read, content, line):
    seen = read({"people.csv": content}, [{"name": "id"}, {"name": "x"}])
    assert [(finding.rule, finding.lines) for finding in seen.findings] == [("ENVELOPE-BOM", (line,))]
    wide = content.decode().encode("utf-16")
    assert read({"people.csv": wide}, [{"name": "id"}, {"name": "x"}], format={"encoding": "utf-16"}).rules == [
        "ENVELOPE-BOM"
    ]


def test_a_byte_order_mark_in_what_nobody_reads_is_told(read):
    content = b"id,x,note\n1,a,\xef\xbb\xbfb\n"
    seen = read({"people.csv": content}, [{"name": "id"}, {"name": "x"}], format={"header": "by_name"})
    assert "ENVELOPE-UNREAD-DAMAGE" in seen.rules
    assert seen.sql("id, x") == [("1", "a")]


@pytest.mark.parametrize(
    "record", ['1, "a"', '1,"a" ', '"1" ,a', ' "1",a', '1,\t"a"', '1,"a ""q"""  ', '1,"a\nb" ', '1,"",'[:-1] + " "]
)
def test_blanks_beside_quotes_which_readers_take_in_two_ways_are_refused(read, record):
    seen = read({"people.csv": f"id,x\n{record}\n2,b\n".encode()}, [{"name": "id"}, {"name": "x"}])
    assert seen.rules == ["ENVELOPE-QUOTES"]


@pytest.mark.parametrize(
    ("record", "value"),
    [('1,"a ""q"" , ""r"" b"', 'a "q" , "r" b'), ("1, a ", " a "), ("1,5'10\" tall", "5'10\" tall"), ('1," "', " ")],
)
def test_blanks_and_quotes_within_values_stay(read, record, value):
    seen = read({"people.csv": f"id,x\n{record}\n2,b\n".encode()}, [{"name": "id"}, {"name": "x"}])
    assert seen.sql("x") == [(value,), ("b",)]


def test_a_header_alone_is_an_empty_table_where_the_contract_lets_it_be(read):
    seen = read({"people.csv": b"id,name,birth,weight\n"}, entity={"minimum_rows": 0})
    assert (seen.findings, seen.rows()) == ((), [])


@pytest.mark.parametrize(
    ("kind", "sent", "said"),
    [
        ("integer", "\u200f12", "not seen"),
        ("decimal", "1.5\u00ad", "not seen"),
        ("date", "\u202b2024-01-05", "not seen"),
        ("integer", "(12)", "in parentheses"),
        ("decimal", "(1,234.5)", "in parentheses"),
        ("decimal", "12.5-", "its minus behind it"),
        ("integer", "１２", "full width"),
        ("integer", "-0", "a zero with a minus"),
        ("decimal", ".a", "may stand for no value"),
        ("date", "b", "may stand for no value"),
        ("date", "45000", "day is to Excel"),
        ("date", "5 janvier 2024", "months are read in English"),
        ("integer", ".", "sign for missing"),
    ],
)
def test_a_refusal_says_how_the_value_is_written(read, kind, sent, said):
    seen = read({"people.csv": f'n,x\n1,"{sent}"\n'.encode()}, [{"name": "n"}, {"name": "x", "type": kind}])
    assert seen.rules == [f"TYPES-{kind.upper()}"]
    assert said in seen.text
    assert "would take" not in seen.text
