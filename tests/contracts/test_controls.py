"""Control figures add up among themselves, and name indicators, sources and areas that exist."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas
import pytest

from hims_pipeline.contracts.controls import Control, load_controls
from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.settings import REPOSITORY
from tests.jinja import OWN, compiler

Rows = Callable[[str], list[dict[str, str]]]
FILES = ("controls", "tunisia_published")


@pytest.mark.parametrize("name", FILES)
def test_a_control_figure_is_a_number_about_something_known(
    data: Path, controls: Rows, codelist: Rows, name: str
) -> None:
    places = {row["country_code"] for row in codelist("countries")} | {row["area_code"] for row in codelist("areas")}
    rows, indicators = controls(name), load_indicators(data)
    assert len({row["control_id"] for row in rows}) == len(rows)
    for row in rows:
        assert float(row["tolerance"]) >= 0, row["control_id"]
        assert float(row["value"]) != 0, row["control_id"]
        assert row["published_by"], row["control_id"]
        assert row["ref_area"] in places, row["control_id"]
        assert row["counterpart_area"] in places | {"_T", "_Z"}, row["control_id"]
        if row["indicator"]:
            assert indicators[row["indicator"]].unit_measure == row["unit"], row["control_id"]
        else:
            assert row["note"].startswith("For the fact"), row["control_id"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("C1,A01,rgph,_Z,2024,TUN,_Z,_T,,many,0,PERSONS,INS,", "line 3, value: Input should be a valid number"),
        ("C1,A01,rgph,_Z,2024,TUN,_Z,_T,,5,-1,PERSONS,INS,", "line 3, tolerance"),
        ("C0,A01,rgph,_Z,2024,TUN,_Z,_T,,5,0,PERSONS,INS,", "line 3: C0 stands twice"),
        ("C1,A99,rgph,_Z,2024,TUN,_Z,_T,,5,0,PERSONS,INS,", "there is no indicator A99"),
        ("C1,A01,rgph,_Z,2024,TUN,_Z,_T,,5,0,PERCENT,INS,", "A01 is in PERSONS, not PERCENT"),
        ("C1,A01,rgph,_Z,2024,TUN,_Z,_T,hair=red,5,0,PERSONS,INS,", "no breakdown hair"),
    ],
)
def test_a_control_that_cannot_be_compared_is_refused_by_file_and_line(
    data: Path, tmp_path: Path, line: str, says: str
) -> None:
    shutil.copytree(data / "indicators", tmp_path / "indicators")
    shutil.copy(data / "observatory.yml", tmp_path)
    (tmp_path / "controls").mkdir()
    good = "C0,A01,rgph,_Z,2024,TUN,_Z,_T,,5,0,PERSONS,INS,"
    text = f"{','.join(Control.model_fields)}\n{good}\n"
    (tmp_path / "controls/ours.csv").write_text(text, encoding="utf-8")
    assert [one.control_id for one in load_controls(tmp_path)] == ["C0"]
    (tmp_path / "controls/ours.csv").write_text(text + line + "\n", encoding="utf-8")
    with pytest.raises(ContractError, match=says):
        load_controls(tmp_path)


@pytest.mark.parametrize(
    ("kind", "ours", "is_met", "stops", "told"),
    [
        ("real", 5.0, True, False, False),
        ("real", 6.0, False, True, False),
        ("aggregate", 6.0, False, True, False),
        ("aggregate", None, None, False, True),
        ("synthetic", 6.0, False, True, False),
        ("synthetic", None, None, False, False),
    ],
)
def test_a_missed_control_and_an_unanswered_one_are_told(
    kind: str, ours: float | None, is_met: bool | None, stops: bool, told: bool
) -> None:
    with duckdb.connect() as con:
        con.execute("""
            create table controls_compared (
                control_id varchar, data_kind varchar, our_value double, is_met boolean, published_value double,
                tolerance double, indicator varchar, source varchar, time_period varchar, expected_value double
            )
        """)
        con.execute(
            "insert into controls_compared values ('C', ?, ?, ?, 5, 0, 'A01', 's', '2024', 5)", [kind, ours, is_met]
        )
        for name, trips in (("controls_are_met", stops), ("controls_have_a_figure_told", told)):
            sql = (REPOSITORY / f"dbt_project/tests/{name}.sql").read_text(encoding="utf-8")
            sql = re.sub(r"\{\{ config\(.*?\) \}\}", "", sql).replace(
                "{{ ref('controls_compared') }}", "controls_compared"
            )
            assert bool(con.execute(sql).fetchall()) == trips, name


PUBLISHED = {  # control -> what was published, in which unit, of which kind of measure
    "TN": (11_000_000, "PERSONS", "stock"),
    "TN-11": (980_000, "PERSONS", "stock"),
    "TN-12": (420_000, "PERSONS", "stock"),
    "FOREIGN": (53_490, "PERSONS", "stock"),
    "SENT": (8_618, "TND_MILLION", "flow"),
    "SHARE": (0.5, "PERCENT", "ratio"),
}


def controls_met(kind: str, scale: float, ours: dict[str, float]) -> dict[str, bool]:
    """Control -> whether a figure of a sample of this scale meets it; `ours` are times what they should be."""
    model = REPOSITORY / "dbt_project/models/indicators/controls_compared.sql"
    sql = compiler()(model.read_text(encoding="utf-8"))
    where = {"source": "s", "vintage": "_Z", "time_period": "2024", "ref_area": "TUN", "counterpart_area": "_Z"}
    plain = {"breakdown": "", "tolerance": 0.0, "published_by": "", "note": ""}
    made = {"age": "_T", "universe": "u", "numerator": 10_000, "n_obs": 10_000}
    made |= dict.fromkeys(OWN["breakdown_columns"], "_T")
    controls, figures = [], []
    for name, (value, unit, measure) in PUBLISHED.items():
        about = where | {"sex": "_T", "indicator": name}
        factor = ours.get(name, 1.0) * (1.0 if measure == "ratio" else scale)
        controls.append(about | plain | {"control_id": name, "value": value, "unit": unit})
        figures.append(about | made | {"obs_value": value * factor})
    with duckdb.connect() as con:
        con.execute(f"create table dim_batch as select 's' as source, '_Z' as vintage, '{kind}' as data_kind")
        kinds = ", ".join(f"('{name}', '{measure}')" for name, (_, _, measure) in PUBLISHED.items())
        con.execute(f"create table indicators as from (values {kinds}) as t (code, measure_type)")
        for table, found in (("controls", controls), ("ind_values", figures)):
            con.register("found", pandas.DataFrame(found))
            con.execute(f"create table {table} as from found")
        return dict(con.execute(f"select control_id, is_met from ({sql})").fetchall())


@pytest.mark.parametrize("scale", [0.001, 0.01, 0.3, 1.0])
def test_controls_of_invented_data_can_be_met_and_missed_at_every_scale(scale: float) -> None:
    assert set(controls_met("synthetic", scale, {}).values()) == {True}
    missed = controls_met("synthetic", scale, {"TN-11": 0.7, "SENT": 1.1, "SHARE": 1.2})
    assert {name for name, is_met in missed.items() if not is_met} == {"TN-11", "SENT", "SHARE"}


def test_controls_of_real_data_are_not_scaled() -> None:
    assert set(controls_met("real", 1.0, {}).values()) == {True}
    assert {name for name, is_met in controls_met("real", 0.999, {}).items() if is_met} == {"SHARE"}


def test_controls_of_real_sources_name_contracts(controls: Rows, contracts: dict[str, Contract]) -> None:
    rows = controls("controls")
    assert {row["source"] for row in rows} == {c.source for c in contracts.values() if c.status == "active"}
    for row in rows:
        edition = contracts[row["source"]].period.kind == "edition"
        assert (row["vintage"] != "_Z") == edition, row["control_id"]


def population(controls: Rows, year: str) -> dict[str, int]:
    rows = [row for row in controls("tunisia_published") if (row["indicator"], row["time_period"]) == ("P01", year)]
    return {row["ref_area"]: int(row["value"]) for row in rows}


@pytest.mark.parametrize(("year", "national"), [("2004", 9_910_872), ("2014", 10_982_754), ("2023", 11_850_232)])
def test_governorates_add_up_to_the_country(controls: Rows, codelist: Rows, year: str, national: int) -> None:
    figures = population(controls, year)
    parts = [row["area_code"] for row in codelist("areas") if row["iso_code"].startswith("TN-")]
    assert figures["TUN"] == national
    # The estimate of 2023 is rounded governorate by governorate.
    assert abs(sum(figures[part] for part in parts) - national) <= (2 if year == "2023" else 0)


def test_regions_and_districts_both_add_up(controls: Rows, codelist: Rows) -> None:
    figures = population(controls, "2014")
    sums: dict[str, dict[str, int]] = {"TN_REGIONS": {}, "TN_DISTRICTS": {}}
    for row in codelist("area_hierarchies"):
        if row["child_code"] in figures and row["hierarchy"] in sums:
            found = sums[row["hierarchy"]]
            found[row["parent_code"]] = found.get(row["parent_code"], 0) + figures[row["child_code"]]
    assert {sum(found.values()) for found in sums.values()} == {10_982_754}
    districts = [sums["TN_DISTRICTS"][f"TN-DIS-{number}"] for number in range(1, 6)]
    assert districts == [1_515_884, 3_608_560, 2_867_500, 1_830_576, 1_160_234]


def test_the_districts_of_2024_add_up(controls: Rows) -> None:
    figures = population(controls, "2024")
    assert sum(figures[f"TN-DIS-{number}"] for number in range(1, 6)) == figures["TUN"] == 11_972_169
