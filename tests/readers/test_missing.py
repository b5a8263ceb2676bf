"""What stands for no value, by any type and format: split from values, with its reason beside them."""

from datetime import date
from decimal import Decimal

import duckdb
import pandas as pd
import pyreadstat
import pytest

from hims_pipeline.gates import judge
from hims_pipeline.staging.models import staging_sql
from tests.contracts.made import contract_of

D = Decimal


def column(kind: str, **more):
    return {"name": "x", "type": kind, **more}


@pytest.mark.parametrize(
    ("declared", "sent", "rows"),
    [
        (column("integer", missing={"*": "_C", ":": "_U"}), ["5", "*", ":", "", "0"],
         [(5, None), (None, "_C"), (None, "_U"), (None, None), (0, None)]),
        (column("decimal", missing={9999: "_U", "..": "_Z"}), ["97.75", "9999", "9999.00", ".."],
         [(D("97.75"), None), (D("9999.00"), None), (D("9999.00"), None), (None, "_Z")]),
        (column("number", missing={"x": "_C"}), ["1.5", "x"], [(1.5, None), (None, "_C")]),
        (column("date", missing={"99/99/9999": "_U", "00/00/0000": "_Z"}, date_format="%d/%m/%Y"),
         ["05/01/2024", "99/99/9999", "00/00/0000"], [(date(2024, 1, 5), None), (None, "_U"), (None, "_Z")]),
        (column("boolean", missing={9: "_U"}), ["true", "9", "0"], [(True, None), (None, "_U"), (False, None)]),
        (column("integer", missing={"n d": "_U"}, allow=["padding"]), [" 7", " n d ", "  "],
         [(7, None), (None, "_U"), (None, None)]),
        (column("integer", null_values=["NA"], missing={"NS": "_U"}), ["1", "NA", "NS"],
         [(1, None), (None, None), (None, "_U")]),
    ],
)  # fmt: skip
def test_marks_become_no_value_and_a_reason_beside(read, declared, sent, rows) -> None:
    seen = read({"people.csv": ("n,x\n" + "".join(f'{n},"{v}"\n' for n, v in enumerate(sent))).encode()},
                [{"name": "n", "type": "integer"}, declared])  # fmt: skip
    assert seen.text == ""
    assert seen.sql("x, x__missing") == rows


@pytest.mark.parametrize(
    "declared", [column("integer"), column("integer", missing={9999: "_U"}), column("text", missing={"*": "_U"})]
)
def test_no_column_stands_beside_values_that_have_no_marks(read, declared) -> None:
    seen = read({"people.csv": b"x\n1\n9999\n"}, [declared])
    assert len(seen.rows()[0]) == 2


FLAGS = {"b": "B", "e": "E", "p": "P", "n": "N", "c": "_C", "z": "_Z"}


def test_flags_become_a_value_and_a_status(read) -> None:
    cells = [
        ": c",
        "12345 b",
        "13002 p",
        "9801 ",
        ": ",
        "10411 bep",
        ": z",
        "7712.0 e",
        "0 n",
        "12b",
        "5 b p",
        " p",
        "",
    ]
    declared = column("decimal", scale=1, missing={":": "_U"}, flags=FLAGS)
    seen = read({"people.csv": ("n;x\n" + "".join(f"{n};{cell}\n" for n, cell in enumerate(cells))).encode()},
                [{"name": "n", "type": "integer"}, declared], format={"delimiter": ";"})  # fmt: skip
    assert seen.text == ""
    assert seen.sql("x, x__missing, x__flag") == [
        (None, "_C", None), (D("12345.0"), None, "B"), (D("13002.0"), None, "P"), (D("9801.0"), None, None),
        (None, "_U", None), (D("10411.0"), None, "B;E;P"), (None, "_Z", None), (D("7712.0"), None, "E"),
        (D("0.0"), None, "N"), (D("12.0"), None, "B"), (D("5.0"), None, "B;P"), (None, None, "P"), (None, None, None),
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ["12 q", "12 bq", "12 c", "b 12", "1 2 b", "? c"])
def test_a_flag_that_is_not_declared_or_denies_its_value_is_a_misfit(read, cell) -> None:
    declared = column("integer", missing={":": "_U"}, flags=FLAGS)
    seen = read({"people.csv": f"n,x\n1,5\n2,{cell}\n".encode()}, [{"name": "n", "type": "integer"}, declared])
    assert seen.rules == ["TYPES-INTEGER"]
    assert cell not in seen.text


def test_null_words_belong_to_a_column(read) -> None:
    sent = {"people.csv": b"iso2,name,persons\nMA,Morocco,12\nNA,NA,35\nNE,Niger,NA\n"}
    columns = [
        {"name": "iso2", "type": "text", "codes": {"MA": "Morocco", "NA": "Namibia", "NE": "Niger"}},
        {"name": "name", "type": "text"},
        {"name": "persons", "type": "integer"},
    ]
    rows = [("MA", "Morocco", 12), ("NA", None, 35), ("NE", "Niger", None)]
    assert read(sent, columns, format={"null_values": ["", "NA"]}).sql("iso2, name, persons") == rows
    columns[1] |= {"null_values": []}
    columns[2] |= {"null_values": ["NA"]}
    rows[1] = ("NA", "NA", 35)
    assert read(sent, columns).sql("iso2, name, persons") == rows


def test_unknown_persons_are_not_one_person(read) -> None:
    sent = {"people.csv": b"cin\n12345678\n99999999\n99999999\nNA\n"}
    declared = {"name": "cin", "type": "text", "sensitivity": "identifier", "pattern": "[0-9]{8}"}
    declared |= {"missing": {"99999999": "_U"}, "null_values": ["NA"]}
    seen = read(sent, [declared])
    assert seen.text == ""
    assert seen.sql("cin is null, cin__missing") == [(False, None), (True, "_U"), (True, "_U"), (True, None)]


def test_letters_of_stata_and_ranges_of_spss(read, tmp_path) -> None:
    frame = pd.DataFrame({"x": [1, 2, "a", "h", "z"]}, dtype=object)
    pyreadstat.write_dta(frame, str(tmp_path / "people.dta"), missing_user_values={"x": ["a", "h", "z"]})
    seen = read({"people.dta": tmp_path / "people.dta"}, [column("integer", missing={"a": "_R", "h": "_U", "z": "_Z"})],
                format={"type": "stata"})  # fmt: skip
    assert seen.sql("x, x__missing") == [(1, None), (2, None), (None, "_R"), (None, "_U"), (None, "_Z")]
    frame = pd.DataFrame({"x": [34.0, -8.0, 997.0, 40.0]})
    ranges = {"x": [{"lo": -9, "hi": -7}, 997]}
    pyreadstat.write_sav(frame, str(tmp_path / "people.sav"), missing_ranges=ranges)
    declared = column("integer", missing={"-9..-7": "_U", 997: "_R"})
    seen = read({"people.sav": tmp_path / "people.sav"}, [declared], format={"type": "spss"})
    assert seen.sql("x") == [(34,), (-8,), (997,), (40,)]
    assert reasons(declared, [34, -8, 997, 40]) == [None, "_U", "_R", None]


def reasons(declared, values):
    """What staging says of values as they stand in bronze."""
    [made] = contract_of([declared]).entities["people"].columns
    with duckdb.connect() as con:
        rows = ", ".join(f"({value})" for value in values)
        return [
            row[0] for row in con.execute(f"select {made.absent.reason('x')} from (values {rows}) as t (x)").fetchall()
        ]


@pytest.mark.parametrize(
    ("declared", "values", "expected"),
    [
        (column("decimal", missing={9999: "_U"}), ["9999.00::decimal(18,2)", "97.75::decimal(18,2)"], ["_U", None]),
        (column("decimal", missing={"99999.01..": "_R"}), ["99999.50::decimal(18,2)", "99999.00::decimal(18,2)"],
         ["_R", None]),
        (column("number", missing={"-1": "_U"}), ["-1.0::double", "-1.5::double"], ["_U", None]),
        (column("integer", missing={"009": "_U", "..-1": "_Z"}), ["9", "-5", "0"], ["_U", "_Z", None]),
        (column("date", missing={"01/01/1900": "_U"}, date_format="%d/%m/%Y"),
         ["date '1900-01-01'", "date '1999-01-01'"], ["_U", None]),
        (column("text", missing={"X": "_U"}), ["'X'", "'x'"], ["_U", None]),
    ],
)  # fmt: skip
def test_codes_are_compared_as_values(declared, values, expected) -> None:
    assert reasons(declared, values) == expected


def test_the_gate_leaves_out_what_is_missing(tmp_path, settings_for) -> None:
    columns = [
        column("decimal", minimum=0, maximum=120, missing={9999: "_U", "-9..-7": "_R", "*": "_C"}, required=True),
        {"name": "y", "type": "integer", "codes": {1: "a", 2: "b"}, "missing": {"90..99": "_U"}},
        {"name": "z", "type": "text", "pattern": "[A-Z]{2}", "unique": True, "missing": {"?": "_U"}},
    ]
    contract, settings = contract_of(columns), settings_for(tmp_path)
    path = tmp_path / "people.parquet"

    def judged(rows: str) -> list[str]:
        with duckdb.connect() as con:
            table = f"(select x::decimal(18,2) as x, m::varchar as x__missing, y, z, n as _line from (values {rows})"
            con.execute(f"copy {table} as t (x, m, y, z, n)) to '{path}' (format parquet)")
        return sorted({finding.rule for finding in judge(settings, contract, "2024", {"people": path}).findings})

    good = "(97.75, null, 1, 'AB', 1), (9999, null, 95, '?', 2), (-8, null, 2, '?', 3), (null, '_C', 2, null, 4)"
    assert judged(good) == []
    assert judged(good.replace("97.75", "121")) == ["DEMO-PEOPLE-X-RANGE"]
    assert judged(good.replace("95", "89")) == ["DEMO-PEOPLE-Y-CODES"]
    assert judged(good.replace("'AB'", "'ab'")) == ["DEMO-PEOPLE-Z-PATTERN"]
    assert judged(good.replace("null, '_C'", "null, null")) == ["DEMO-PEOPLE-X-REQUIRED"]


def test_staging_carries_what_stands_beside() -> None:
    layout = {"name": "old", "periods": ["1999"],
              "entities": {"people": {"columns": [column("integer", missing={"*": "_C"})]}}}  # fmt: skip
    sql = staging_sql(contract_of([column("integer")], contract={"layouts": [layout]}), "people")
    assert 'cast("x__missing" as string) as "x__missing"' in sql
    assert "__missing" not in staging_sql(contract_of([column("integer", missing={9: "_U"})]), "people")


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({}, "997, -9 to -7"),
        ({997: "_R"}, "-9 to -7"),
        ({"-9..-7": "_U"}, "997"),
        ({"-10..-1": "_U", "997.0": "_R"}, ""),
        ({-9: "_U", -8: "_U", -7: "_U", 997: "_R"}, ""),
    ],
)
def test_what_the_file_calls_missing_and_the_contract_takes_for_values_is_told(read, tmp_path, missing, said) -> None:
    frame = pd.DataFrame({"x": [34.0, -8.0, 997.0]})
    pyreadstat.write_sav(frame, str(tmp_path / "people.sav"), missing_ranges={"x": [{"lo": -9, "hi": -7}, 997]})
    seen = read({"people.sav": tmp_path / "people.sav"}, [column("integer", missing=missing)], format={"type": "spss"})
    assert [finding.severity for finding in seen.findings] == (["warning"] if said else [])
    assert f"takes for values: {said}. Compare" in seen.text if said else not seen.text


def test_a_codebook_s_missing_codes_are_held_against_columns_without_codes(read) -> None:
    book = (
        '<codeBook><dataDscr><var name="x"><location StartPos="1" EndPos="3" width="3"/>'
        '<invalrng><item VALUE="999"/></invalrng><varFormat type="numeric"/></var></dataDscr></codeBook>'
    )
    sent = {"people.dat": b" 34\n999\n", "book.xml": book.encode()}
    form = {"format": {"type": "fixed_width", "codebook": "*.xml"}}
    assert "takes for values: 999" in read(sent, [column("integer")], **form).text
    assert read(sent, [column("integer", missing={"990..999": "_U"})], **form).text == ""
