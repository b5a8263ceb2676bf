"""`hims source check --drift`: every difference in full, and which names were probably changed."""

import pandas as pd
import pyreadstat
import pytest
from click.testing import CliRunner

from hims_pipeline.authoring.check import check_file
from hims_pipeline.commands.sources import source

COLUMNS = (
    {"name": "id", "type": "integer"},
    {"name": "sex", "label": "Sex of the person", "type": "integer", "codes": {1: "Male", 2: "Female"}},
    {"name": "birth", "label": "Day of birth", "type": "date"},
    {"name": "country", "codes": {"TUN": "Tunisia", "FRA": "France"}},
    {"name": "remark", "sensitivity": "free_text"},
)


@pytest.fixture
def drift(tmp_path, contract_for, settings_for):
    """drift(bytes or path, columns) -> the sentences of a check with `drift`."""

    def run(content, columns=COLUMNS, **changes) -> list[str]:
        path = content
        if isinstance(content, bytes):
            path = tmp_path / "people.csv"
            path.write_bytes(content)
        return check_file(settings_for(tmp_path / "home"), contract_for(columns, **changes), [path], None, drift=True)

    return run


def renamed(said: list[str]) -> set[str]:
    return {line.split(" · people: ")[1].split(";")[0] for line in said if "probably" in line}


def test_all_names_are_told_however_many(drift):
    many = [f"x{number:02d}" for number in range(30)]
    content = ",".join(["id", *many]) + "\n" + ",".join("1" * 31) + "\n"
    said = drift(content.encode())
    for place, name in enumerate(many, 2):
        assert any(f"new: '{name}', column {place}" in line for line in said)
    assert sum("gone: " in line for line in said) == 4
    assert any("gone: 'remark', which is not read" in line for line in said)


def test_values_then_names_say_what_was_renamed_one_to_one(drift):
    content = b"id,q1,q2,q3,remarks\n1,1,2000-01-01,TUN,x\n2,2,2001-01-01,FRA,y\n"
    assert renamed(drift(content)) == {
        "'sex' is probably 'q1' now, by its values",
        "'birth' is probably 'q2' now, by its values",
        "'country' is probably 'q3' now, by its values",
        "'remark' is probably 'remarks' now, by its name",
    }


def test_values_that_fit_two_columns_prove_nothing(drift):
    content = b"id,q1,q2,birth,country,remark\n1,1,2,2000-01-01,TUN,x\n2,2,1,2001-01-01,FRA,y\n"
    assert renamed(drift(content)) == set()


def test_labels_come_before_values(drift, tmp_path):
    """q1 and q2 hold the same codes; only the label tells them apart."""
    frame = pd.DataFrame({"id": [1, 2], "q1": [1, 2], "q2": [2, 1], "country": ["TUN", "FRA"], "remark": ["x", "y"]})
    path = tmp_path / "people.sav"
    pyreadstat.write_sav(frame, str(path), column_labels={"q1": "Head of household", "q2": "Sex  of the Person"})
    columns = [column for column in COLUMNS if column["name"] != "birth"]
    said = drift(path, columns, format={"type": "spss"})
    assert renamed(said) == {"'sex' is probably 'q2' now, by its label"}
    assert any("new: 'q1', column 2" in line for line in said)


def test_an_order_that_differs_and_codes_are_told_in_full(drift):
    columns = [{"name": "code", "type": "integer", "codes": {0: "none"}}, {"name": "id", "type": "integer"}]
    rows = "".join(f"{number},{number}\n" for number in range(40))
    said = "\n".join(drift(b"id,code\n" + rows.encode(), columns))
    assert "'id' stands where 'code' stood" in said
    full = "\n".join(drift(b"code,id\n" + rows.encode(), columns))
    assert "39 codes that the contract does not list" in full
    assert all(f"{number} (1)" in full for number in range(1, 40))


def test_columns_that_are_found_by_name_drift_too(drift):
    said = drift(b"new,id,sex,birth,country\n5,1,1,2000-01-01,TUN\n", format={"header": "by_name"})
    assert any("new: 'new', column 1" in line for line in said)
    assert any("gone: 'remark', which is not read" in line for line in said)


def test_a_file_that_fits_has_no_drift(drift):
    assert drift(b"id,sex,birth,country,remark\n1,1,2000-01-01,TUN,x\n") == []


def test_what_is_paired_by_name_leaves_the_values_to_the_others(drift, tmp_path):
    """A portable file writes its names in capitals; the values of `id` would do for `Q1` too."""
    frame = pd.DataFrame({"id": [1, 2, 3], "q1": [1, 2, 1], "country": ["TUN", "FRA", "TUN"]})
    pyreadstat.write_por(frame, str(tmp_path / "people.por"))
    columns = [COLUMNS[0], COLUMNS[1], COLUMNS[3]]
    assert renamed(drift(tmp_path / "people.por", columns, format={"type": "spss"})) == {
        "'country' is probably 'COUNTRY' now, by its values",
        "'id' is probably 'ID' now, by its name",
        "'sex' is probably 'Q1' now, by its values",
    }


def test_keys_of_a_table_of_eurostat_drift_too(drift):
    content = b"id,citizens\\TIME_PERIOD\t2020 \t2021 \n1,TUN\t1 \t2 \n2,FRA\t3 \t4 \n"
    columns = [{"name": "id"}, {"name": "citizen"}, {"name": "TIME_PERIOD"}, {"name": "v", "type": "integer"}]
    form = {"type": "eurostat_tsv", "unpivot": {"names": "TIME_PERIOD", "values": "v"}}
    said = drift(content, columns, format=form)
    assert renamed(said) == {"'citizen' is probably 'citizens' now, by its name"}


def test_the_command_has_the_option():
    assert "--drift" in CliRunner().invoke(source, ["check", "--help"]).output
