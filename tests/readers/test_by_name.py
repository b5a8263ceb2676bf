"""What is not read cannot refuse: columns found by name, and drift that is told."""

import duckdb
import pandas as pd
import pyreadstat
import pytest

from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.settings import REPOSITORY
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


QUARTER = {
    "CODUSU": "TQRMNOPPQHKMKOCDEFIAH00700255", "ANO4": 2024, "TRIMESTRE": 4, "NRO_HOGAR": 1, "COMPONENTE": 1,
    "REGION": 1, "MAS_500": "S", "AGLOMERADO": 32, "PONDERA": 812, "CH03": 1, "CH04": 2, "CH06": 41, "CH15": 1,
    "CH15_COD": "", "CH16": 1, "CH16_COD": "", "NIVEL_ED": 6, "ESTADO": 1,
}  # fmt: skip


@pytest.fixture
def argentina(read):
    """argentina(layouts, {column: value}) reads a made quarter of the survey, one person in 235 columns."""

    def run(layouts: list[dict], person: dict, period: str = "2024Q4"):
        fields = read_yaml(REPOSITORY / "data/contracts/argentina_eph.yml")
        persons = fields["entities"]["persons"] | {"minimum_rows": 1, "references": []}
        fields |= {"entities": {"persons": persons}, "layouts": layouts}
        known = [name for name in persons["header"] if name in person or name not in QUARTER]
        new = [f"V{number}_01_M" for number in range(235 - len(known) - len(set(person) - set(known)))]
        names = [*new, *(name for name in person if name not in known), *known]
        line = ";".join(str(person.get(name, "")) for name in names)
        content = f"{';'.join(names)}\n{line}\n".encode()
        assert len(names) == 235
        return read({"usu_individual_T424.txt": content}, **fields, period_read=period)

    return run


def test_a_quarter_with_other_unread_columns_is_taken(argentina):
    seen = argentina([], QUARTER)
    assert [(finding.rule, finding.severity) for finding in seen.findings] == [("ENVELOPE-DRIFT", "warning")]
    assert seen.sql("CODUSU, CH06, PONDERA, ESTADO", "persons") == [(QUARTER["CODUSU"], 41, 812, 1)]


def test_a_column_renamed_from_a_quarter_on_is_named_by_a_layout(argentina):
    person = {("EDAD" if name == "CH06" else name): value for name, value in QUARTER.items()}
    assert "ENVELOPE-HEADER" in argentina([], person).rules
    layouts = [{"name": "t424", "from": "2024Q4", "entities": {"persons": {"names": {"CH06": "EDAD"}}}}]
    for period in ("2024Q4", "2025Q1"):
        assert argentina(layouts, person, period).sql("CH06", "persons") == [(41,)]
    assert "ENVELOPE-HEADER" in argentina(layouts, person, "2024Q3").rules


def test_records_are_held_to_the_fields_of_their_own_header(read):
    seen = read({"people.csv": b"note,id,age\nx,1,30\nx,2\n"}, WANTED, format=BY_NAME)
    assert "do not have the 3 fields of the header" in seen.text


@pytest.mark.parametrize("sent", ["age\u00a0", "AGE", "a\u00adge", "\u200fage", " age"])
@pytest.mark.parametrize("form", [BY_NAME, {}])
def test_a_name_that_only_looks_alike_is_pointed_out(read, sent, form):
    seen = read({"people.csv": f"id,{sent}\n1,30\n".encode()}, WANTED, format=form)
    assert seen.rules == ["ENVELOPE-HEADER"]
    assert "alike but for case, blanks or unseen characters: column 2 and 'age'" in seen.text
