"""Files as senders make them, typed anew: each is read right, or refused with what to do."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.formats import Format
from tests.readers.corpus import TWINS
from tests.readers.corpus.binary import AGE_MISSING, UPPER, portable
from tests.readers.corpus.places import database
from tests.readers.test_second_look import PERSON, sheet, spss

# --- Numbers in French and in Arabic ---------------------------------------------------------------------------------
TOWNS = ["Tunis", "Ariana", "Zaghouan", "Tozeur"]
PEOPLE = ["1\u202f056\u202f247", "576\u00a0088", "176 945", "٩٨٥٠٠"]
RATES = ["12,5 %", "9,1\u00a0%", "7,0%", "٥٫٢ %"]
SPELT = (
    {"name": "town", "required": True},
    {"name": "people", "type": "integer", "allow": ["digit_groups", "arabic_digits"], "start": 1, "width": 10},
    {"name": "rate", "type": "decimal", "scale": 1, "allow": ["percent", "arabic_digits"], "start": 11, "width": 6},
)
READ = [(1056247, 12.5), (576088, 9.1), (176945, 7.0), (98500, 5.2)]


def spelt(kind: str) -> bytes:
    rows = list(zip(TOWNS, PEOPLE, RATES, strict=True))
    if kind == "excel":
        return sheet([["town", "people", "rate"], *map(list, rows)])
    if kind == "fixed_width":
        return "".join(f"{people:<10}{rate:<6}\n" for _, people, rate in rows).encode()
    return "\n".join(["town;people;rate", *map(";".join, rows), ""]).encode()


@pytest.mark.parametrize("kind", ["delimited", "excel", "fixed_width"])
def test_numbers_as_french_and_arabic_tables_spell_them(read, kind):
    form = {"type": kind, "decimal": ","} | ({"delimiter": ";"} if kind == "delimited" else {})
    columns = SPELT[1:] if kind == "fixed_width" else SPELT
    seen = read({"people.x": spelt(kind)}, columns, format=form)
    assert seen.findings == ()
    assert seen.sql("people, rate::double") == READ


@pytest.mark.parametrize(
    ("text", "allow", "kind"),
    [
        ("12 34", ["digit_groups"], "integer"),
        ("1234 567", ["digit_groups"], "integer"),
        ("1 056'247", ["digit_groups"], "integer"),
        (" 056", ["digit_groups"], "integer"),
        ("056 247", ["digit_groups"], "integer"),
        ("1 056", ["arabic_digits", "percent", "padding"], "integer"),
        ("٩8", ["arabic_digits"], "integer"),
        ("٩۸", ["arabic_digits"], "integer"),
        ("٩٨", ["digit_groups"], "integer"),
        ("%", ["percent"], "number"),
        ("5 %%", ["percent"], "number"),
        ("5", ["percent"], "number"),
    ],
)
def test_only_what_is_allowed_and_whole_is_a_number(read, text, allow, kind):
    columns = [{"name": "n", "type": kind, "allow": allow}, {"name": "x"}]
    seen = read({"people.csv": f"n,x\n{text},x\n".encode()}, columns)
    assert seen.rules == ([] if text == "5" else [f"TYPES-{kind.upper()}"])


def test_a_point_that_is_not_written_goes_behind_spelt_digits_too(read):
    columns = [
        {"name": "n", "type": "decimal", "implied_decimals": 2, "start": 1, "width": 6, "allow": ["arabic_digits"]},
        {"name": "m", "type": "decimal", "implied_decimals": 2, "start": 7, "width": 6, "allow": ["digit_groups"]},
    ]
    seen = read({"people.txt": "  ١٢٥٠ 1 250\n".encode()}, columns, format={"type": "fixed_width"})
    assert seen.sql("n::varchar, m::varchar") == [("12.50", "12.50")]


def test_a_refusal_names_the_words_that_would_take_what_stands_there(read):
    columns = [{"name": "town"}, {"name": "people", "type": "integer"}, {"name": "rate", "type": "decimal", "scale": 1}]
    form = {"delimiter": ";", "decimal": ","}
    seen = read({"people.csv": spelt("delimited")}, columns, format=form)
    assert "`allow: [digit_groups, arabic_digits]` would take 4 of them" in seen.text
    assert "`allow: [arabic_digits, percent]` would take 4 of them" in seen.text
    assert "056" not in seen.text
    plain = read({"people.csv": b"town;people;rate\nTunis;x;1,25\n"}, columns, format=form)
    assert "would take" not in plain.text


def test_spellings_of_numbers_are_for_numbers():
    for word in ("digit_groups", "arabic_digits", "percent"):
        with pytest.raises(ValueError, match="is for numbers"):
            Column(name="a", type="date", allow=(word,))
    with pytest.raises(ValueError, match="% is a flag"):
        Column(name="a", type="number", allow=("percent",), flags={"%": "E"})


# --- Lines of several types, described by a DDI-Codebook -------------------------------------------------------------
def variable(
    name: str, records: str, start: int, width: int, kind: str = "numeric", more: str = "", dcml: str = ""
) -> str:
    place = f'<location StartPos="{start}" EndPos="{start + width - 1}" width="{width}"/>'
    decimals = f' dcml="{dcml}"' if dcml else ""
    return f'<var name="{name}" files="F1" rectype="{records}"{decimals}>{place}{more}<varFormat type="{kind}"/></var>'


def codebook(groups: str, *variables: str) -> bytes:
    return (
        '<codeBook xmlns="ddi:codebook:2_5"><fileDscr ID="F1"><fileTxt><fileName>people.dat</fileName>'
        f"<fileStrc type='hierarchical'>{groups}</fileStrc></fileTxt></fileDscr>"
        f"<dataDscr>{''.join(variables)}</dataDscr></codeBook>"
    ).encode()


AT_VARIABLE = (
    '<recGrp recidvar="KIND" rectype="H"><labl>Household</labl></recGrp>'
    '<recGrp keyvar="SERIAL" recidvar="KIND" rectype="P"><labl>Person</labl></recGrp>'
)
AT_PLACE = AT_VARIABLE.replace('recidvar="KIND"', 'rtypeloc="1" rtypewidth="1"')
IN_LINE = (
    variable("KIND", "H P", 1, 1, "character"),
    variable("SERIAL", "H P", 2, 4),
    variable("REGION", "H", 6, 2),
    variable("HHWT", "H", 8, 5, dcml="2"),
    variable("PERNUM", "P", 6, 2),
    variable("AGE", "P", 8, 3),
)
LINES = b"H00011101250\nP000101034  \nP000102003\nH00022300875\nP000201061\n"
ZEROS = {"type": "integer", "allow": ["leading_zeros"]}


def hierarchical(persons: str | None, households: str | None) -> dict:
    def entity(record: str | None, *columns: dict) -> dict:
        form = {"type": "fixed_width", "codebook": "*.xml"} | ({"record": record} if record else {})
        named = [{"name": "KIND"}, {"name": "SERIAL", **ZEROS}, *columns]
        return {"title": {"en": "?"}, "grain": "?", "files": ["people*"], "format": form, "columns": named}

    weight = {"name": "HHWT", "type": "decimal", "scale": 2}
    return {
        "persons": entity(persons, {"name": "PERNUM", **ZEROS}, {"name": "AGE", **ZEROS}),
        "households": entity(households, {"name": "REGION", "type": "integer"}, weight),
    }


@pytest.mark.parametrize("groups", [AT_VARIABLE, AT_PLACE])
@pytest.mark.parametrize(("persons", "households"), [("P", "H"), ("Person", "household")])
def test_lines_of_two_types_are_two_entities(read, groups, persons, households):
    files = {"people.dat": LINES, "book.xml": codebook(groups, *IN_LINE)}
    seen = read(files, entities=hierarchical(persons, households))
    assert seen.findings == ()
    assert seen.sql("SERIAL, PERNUM, AGE, _line", "persons") == [(1, 1, 34, 2), (1, 2, 3, 3), (2, 1, 61, 5)]
    assert seen.sql("SERIAL, REGION, HHWT::varchar", "households") == [(1, 11, "12.50"), (2, 23, "8.75")]


def test_lines_of_a_type_that_nobody_reads_are_counted(read):
    entities = {"persons": hierarchical("P", "H")["persons"]}
    seen = read({"people.dat": LINES, "book.xml": codebook(AT_VARIABLE, *IN_LINE)}, entities=entities)
    assert [(one.rule, one.severity) for one in seen.findings] == [("ENVELOPE-UNREAD-RECORD", "warning")]
    assert "H (2 lines)" in seen.text
    assert len(seen.rows("persons")) == 3


@pytest.mark.parametrize(
    ("groups", "record", "lines", "rule", "said"),
    [
        (AT_VARIABLE, None, LINES, "ENVELOPE-CODEBOOK", "types of records (H, P)"),
        (AT_VARIABLE, "X", LINES, "ENVELOPE-CODEBOOK", "types of records (H, P)"),
        ("", "P", LINES, "ENVELOPE-CODEBOOK", "has no types of records"),
        ('<recGrp rectype="P"/>', "P", LINES, "ENVELOPE-CODEBOOK", "does not say where the type"),
        (AT_VARIABLE, "P", LINES + b"X000201061\n", "ENVELOPE-RECORD-TYPE", "does not know"),
        (AT_VARIABLE, "P", LINES + b"P00020106\n", "ENVELOPE-LINE-LENGTH", "10 characters"),
        (AT_VARIABLE, "P", LINES + b"P0002010611\n", "ENVELOPE-LINE-LENGTH", "10 characters"),
    ],
)
def test_types_of_records_that_do_not_hold_are_refused(read, groups, record, lines, rule, said):
    entities = {"persons": hierarchical(record, None)["persons"]}
    seen = read({"people.dat": lines, "book.xml": codebook(groups, *IN_LINE)}, entities=entities)
    assert rule in seen.rules
    assert said in seen.text


def test_one_description_for_each_type_of_the_same_file(read):
    """Some codebooks describe a file once for each type of its lines."""
    one, other = AT_PLACE.split("</recGrp>")[:2]
    both = f"{one}</recGrp></fileStrc></fileTxt></fileDscr><fileDscr ID='F2'><fileTxt><fileName>people.dat</fileName>"
    both += f"<fileStrc>{other}</recGrp>"
    persons = [one.replace('files="F1"', 'files="F1 F2"' if "H P" in one else 'files="F2"') for one in IN_LINE[:2]]
    persons += [one.replace('files="F1"', 'files="F2"') for one in IN_LINE[4:]]
    book = codebook(both, *persons, *IN_LINE[2:4])
    seen = read({"people.dat": LINES, "book.xml": book}, entities=hierarchical("P", "H"))
    assert seen.findings == ()
    assert (len(seen.rows("persons")), len(seen.rows("households"))) == (3, 2)


# --- Values that a codebook calls invalid ----------------------------------------------------------------------------
INVALID_AGE = '<invalrng><range min="995" max="999"/></invalrng>'
INVALID = (
    variable("PID", "", 1, 3),
    variable(
        "AGE", "", 4, 3, more='<valrng><item VALUE="3"/></valrng><invalrng><range min="995" max="999"/></invalrng>'
    ),
    variable(
        "INC", "", 7, 7, more='<invalrng><item VALUE="9999999"/><range minExclusive="9999900"/></invalrng>', dcml="2"
    ),
)
PERSONS = b"0010340012550\n0029989999950\n003 41   12.5\n0040459999999\n"


def persons_of(age: dict, income: dict) -> list[dict]:
    return [
        {"name": "PID", **ZEROS},
        {"name": "AGE", **ZEROS, "missing": age},
        {"name": "INC", "type": "decimal", "scale": 2, "missing": income},
    ]


def test_ranges_that_a_codebook_calls_invalid_are_told_until_the_contract_has_them(read):
    files = {"people.dat": PERSONS, "book.xml": codebook("", *INVALID)}
    form = {"type": "fixed_width", "codebook": "*.xml"}
    silent = read(files, persons_of({}, {}), format=form)
    assert [(one.rule, one.column) for one in silent.findings] == [
        ("ENVELOPE-LABELS", "AGE"),
        ("ENVELOPE-LABELS", "INC"),
    ]
    assert "995 to 999" in silent.text
    assert "99999.99, 99999.01 to highest" in silent.text
    said = read(files, persons_of({"995..999": "_U"}, {"99999.01..": "_U"}), format=form)
    assert said.findings == ()
    assert said.sql("INC::varchar") == [("125.50",), ("99999.50",), ("12.50",), ("99999.99",)]


# --- Eurostat's own tables -------------------------------------------------------------------------------------------
TSV = (
    b"freq,citizen,geo\\TIME_PERIOD\t2021 \t2022 \t2023 \n"
    b"A,TN,FR\t: c\t12345 b\t13002 p\nA,TN,IT\t9801 \t: \t10411 bep\nA,TN,DE\t: z\t7712.0 e\t0 n\n"
)
FLAGS = {"b": "B", "e": "E", "p": "P", "n": "N", "c": "_C", "z": "_Z"}
KEYS = ({"name": "freq"}, {"name": "citizen"}, {"name": "geo"})
LONG = (
    *KEYS,
    {"name": "TIME_PERIOD", "type": "integer"},
    {"name": "OBS_VALUE", "type": "decimal", "scale": 1, "flags": FLAGS, "null_values": [":"]},
)
OF_EUROSTAT = {"type": "eurostat_tsv", "unpivot": {"names": "TIME_PERIOD", "values": "OBS_VALUE"}}
CELLS = [
    ("FR", 2021, None, "_C", None, 2), ("FR", 2022, "12345.0", None, "B", 2), ("FR", 2023, "13002.0", None, "P", 2),
    ("IT", 2021, "9801.0", None, None, 3), ("IT", 2022, None, None, None, 3), ("IT", 2023, "10411.0", None, "B;E;P", 3),
    ("DE", 2021, None, "_Z", None, 4), ("DE", 2022, "7712.0", None, "E", 4), ("DE", 2023, "0.0", None, "N", 4),
]  # fmt: skip


@pytest.mark.parametrize("content", [TSV, b"\xef\xbb\xbf" + TSV, TSV.replace(b"\n", b"\r\n")])
def test_a_table_of_eurostat_as_it_comes(read, content):
    seen = read({"people.tsv": content}, LONG, format=OF_EUROSTAT)
    assert seen.findings == ()
    assert seen.sql("geo, TIME_PERIOD, OBS_VALUE::varchar, OBS_VALUE__missing, OBS_VALUE__flag, _line") == CELLS


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        (TSV.replace(b"citizen,", b""), "ENVELOPE-HEADER", "missing: 'citizen'"),
        (TSV.replace(b"\\TIME_PERIOD", b"\\time"), "ENVELOPE-HEADER", "not called TIME_PERIOD"),
        (TSV.replace(b"\\", b","), "ENVELOPE-HEADER", "not Eurostat's"),
        (TSV.replace(b"A,TN,IT", b"A,IT"), "ENVELOPE-COLUMNS", "fields"),
        (TSV.replace(b"9801 ", b"9801 q"), "TYPES-DECIMAL", "headed"),
        (TSV[:-4], "ENVELOPE-TRUNCATED", "cut off"),
        (TSV.replace(b"FR", b"F\xff"), "ENVELOPE-ENCODING", "UTF-8"),
        (sheet([["a", "b"], [1, 2]]), "ENVELOPE-KIND", "plain text"),
    ],
)
def test_what_is_wrong_in_such_a_table_is_told(read, content, rule, said):
    seen = read({"people.tsv": content}, LONG, format=OF_EUROSTAT)
    assert rule in seen.rules
    assert said.lower() in seen.text.lower()


# --- SDMX-CSV --------------------------------------------------------------------------------------------------------
ONE = b"DATAFLOW,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\nESTAT:MIGR(1.0),FR,2021,5,b\nESTAT:MIGR(1.0),IT,2021,,\n"
TWO = (
    b"STRUCTURE,STRUCTURE_ID,ACTION,OBS_VALUE,geo,TIME_PERIOD\n"
    b"dataflow,ESTAT:MIGR(1.0),I,5,FR,2021\ndataflow,ESTAT:MIGR(1.0),A,,IT,2021\n"
)
OBSERVED = ({"name": "geo"}, {"name": "TIME_PERIOD", "type": "integer"}, {"name": "OBS_VALUE", "type": "integer"})


WITHOUT_ACTION = TWO.replace(b"ACTION,", b"").replace(b",I,", b",").replace(b",A,", b",")


@pytest.mark.parametrize("content", [ONE, TWO, b"\xef\xbb\xbf" + ONE, WITHOUT_ACTION])
def test_sdmx_csv_of_both_versions(read, content):
    seen = read({"people.csv": content}, OBSERVED, format={"type": "sdmx_csv"})
    assert all(one.severity == "warning" for one in seen.findings)
    assert ("OBS_FLAG" in content.decode()) == bool(seen.findings)  # a column that nobody reads is told
    assert seen.sql("geo, TIME_PERIOD, OBS_VALUE, _line") == [("FR", 2021, 5, 2), ("IT", 2021, None, 3)]


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        (TWO.replace(b",A,", b",D,"), "ENVELOPE-SDMX", "deletes nothing"),
        (TWO.replace(b"(1.0),A", b"(2.0),A"), "ENVELOPE-SDMX", "different datasets"),
        (ONE.replace(b"ESTAT:MIGR(1.0),IT", b"ESTAT:OTHER(1.0),IT"), "ENVELOPE-SDMX", "different datasets"),
        (TWO.replace(b"dataflow,ESTAT:MIGR(1.0),A", b"metadata,ESTAT:MIGR(1.0),A"), "ENVELOPE-SDMX", "STRUCTURE"),
        (b"geo,TIME_PERIOD,OBS_VALUE\nFR,2021,5\n", "ENVELOPE-HEADER", "does not begin with"),
        (ONE.replace(b",geo,", b",geo: Country,"), "ENVELOPE-HEADER", "labels"),
        (ONE.replace(b"OBS_FLAG", b"OBS_FLAG[;]"), "ENVELOPE-HEADER", "several values"),
        (ONE.replace(b",geo,", b",GEO,"), "ENVELOPE-HEADER", "missing: 'geo'"),
        (ONE.replace(b"2021,5", b"2021,x"), "TYPES-INTEGER", "whole number"),
    ],
)
def test_sdmx_csv_that_does_not_add_one_dataset_is_refused(read, content, rule, said):
    seen = read({"people.csv": content}, OBSERVED, format={"type": "sdmx_csv"})
    assert rule in seen.rules
    assert said in seen.text


@pytest.mark.parametrize(
    "form", [{"type": "eurostat_tsv"}, {"type": "sdmx_csv", "header": "by_name"}, {"type": "sdmx_csv", "skip_rows": 1}]
)
def test_options_that_do_nothing_for_these_formats_do_not_load(form):
    with pytest.raises(ValueError, match=r"unpivot|header|would do nothing"):
        Format(**form)


# --- Days that no calendar has ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "rules"), [("date", ["TYPES-DATE"]), ("text", ["TYPES-DATE"])])
@pytest.mark.parametrize("form", ["DATE11", "DATETIME20"])
def test_a_day_beyond_the_calendar_is_refused_whatever_the_column_is(read, tmp_path, kind, rules, form):
    seconds = [13_166_064_000.0, 6_306_000_000_000.0, np.nan]
    content = spss(tmp_path, pd.DataFrame({"pid": [1.0, 2.0, 3.0], "day": seconds}), variable_format={"day": form})
    columns = [PERSON[0], {"name": "day", "type": kind}]
    seen = read({"people.sav": content}, columns, format={"type": "spss"})
    assert seen.rules == rules
    assert [(finding.column, finding.lines) for finding in seen.findings] == [("day", (2,))]
    good = spss(tmp_path, pd.DataFrame({"pid": [1.0], "day": seconds[:1]}), variable_format={"day": form})
    assert (
        read({"people.sav": good}, [PERSON[0], {"name": "day", "type": kind}], format={"type": "spss"}).findings == ()
    )


# --- SPSS portable files ---------------------------------------------------------------------------------------------
def test_a_portable_file_keeps_its_codes_for_missing_and_its_letters(read):
    content = portable((b"3/Zoe", b"3/Zo\xe9"), AGE_MISSING, (b"3/Bea", b"4/B\xc3\xa9a"))
    columns = [
        {"name": "NAME"},
        {"name": "AGE", "type": "integer", "missing": {"998": "_U"}},
        {"name": "W", "type": "number"},
    ]
    order = {"header": ["PID", "NAME", "AGE", "W"]}
    seen = read({"people.por": content}, columns, format={"type": "spss"}, entity=order)
    assert seen.findings == ()
    assert seen.sql("NAME, AGE, W") == [("Ali", 30, 1.5), ("Zoé", 998, 2.25), (None, None, 0.125), ("Béa", 41, 3.0)]


def test_where_the_library_has_other_values_of_a_portable_file_nothing_is_read(read, monkeypatch):
    whole = pyreadstat.read_por

    def lose(*args, **options):
        frame, meta = whole(*args, **options)
        frame.loc[0, "AGE"] = 31.0
        return frame, meta

    monkeypatch.setattr(pyreadstat, "read_por", lose)
    assert read({"people.por": portable()}, UPPER, format={"type": "spss"}).rules == ["ENVELOPE-UNSAFE"]


# --- CSPro's database ------------------------------------------------------------------------------------------------
def test_a_case_file_of_cspro_gives_its_records_without_a_dictionary(read):
    twin = TWINS["csdb"]
    seen = read(twin.files, twin.columns, **twin.contract)
    assert seen.findings == ()
    assert seen.sql("HH, LINE, AGE, label, WEIGHT::varchar, _line") == [
        (1, 1, 34, "x", "1.50", 1),
        (1, 2, None, "x", "2.00", 2),
        (2, 1, 61, "y", "0.25", 3),
    ]
    assert seen.sql("HH, ROOMS, PLACE, label", "houses") == [(1, 2, "Tunis", "x"), (2, 1, "Gabes", "y")]


@pytest.mark.parametrize(
    "damage",
    [
        "insert into person values (9, 77, 1, 1, 30, 1)",
        """delete from "level-1" where "level-1-id" = 2""",
        "delete from cases where id = 'b'",
        "update cases set deleted = null where id = 'b'",
    ],
)
def test_rows_of_a_case_file_that_belong_to_no_case_are_not_lost(read, damage):
    twin = TWINS["csdb"]
    [name] = twin.files
    seen = read({name: database(damage)}, twin.columns, **twin.contract)
    assert "ENVELOPE-DAMAGED" in seen.rules
    assert "belong to a case" in seen.text


# --- Dates of another calendar ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["delimited", "excel", "fixed_width"])
def test_years_of_the_hijra_are_no_years_of_ours(read, kind):
    days = ["2024-03-11", "1445-09-01", "1402-12-21"]
    columns = [{"name": "day", "type": "date", "start": 1, "width": 10}, {"name": "n", "start": 11, "width": 1}]
    content = {
        "delimited": "\n".join(["day,n", *(f"{day},x" for day in days), ""]).encode(),
        "excel": sheet([["day", "n"], *([day, "x"] for day in days)]),
        "fixed_width": "".join(f"{day}x\n" for day in days).encode(),
    }[kind]
    seen = read({"people.x": content}, columns, format={"type": kind})
    assert [(one.rule, one.column, one.count) for one in seen.findings] == [("TYPES-DATE", "day", 2)]
    assert "Hijri" in seen.text
    early = [columns[0] | {"minimum": "1400-01-01"}, columns[1]]
    assert read({"people.x": content}, early, format={"type": kind}).findings == ()
    for form, text in (("%d/%m/%Y", "01/09/1445"), ("%Y%m%d", "14450901")):
        other = [columns[0] | {"date_format": form}, columns[1]]
        assert read({"people.csv": f"day,n\n{text},x\n".encode()}, other).rules == ["TYPES-DATE"]


@pytest.mark.parametrize(
    ("form", "text", "rules"),
    [
        ("%G-W%V-%u", "2024-W05-3", []),
        ("%G-W%V", "2024-W05", []),
        ("%G-W%V-%u", "2024-W54-1", ["TYPES-DATE"]),
        ("%G-W%V-%u", "2021-W53-1", ["TYPES-DATE"]),
        ("%G-W%V-%u", "2024-05-3", ["TYPES-DATE"]),
    ],
)
def test_days_written_by_the_week(read, form, text, rules):
    columns = [{"name": "day", "type": "date", "date_format": form}, {"name": "n"}]
    seen = read({"people.csv": f"day,n\n{text},x\n".encode()}, columns)
    assert seen.rules == rules
    if not rules:
        assert seen.sql("day::varchar") == [("2024-01-31" if form.endswith("u") else "2024-01-29",)]
