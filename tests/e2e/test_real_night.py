"""A night with real deliveries: the published figures are those that their publishers print."""

import csv
import json

import duckdb
import pytest

from hims_pipeline.contracts.indicators import breakdown_columns
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import REPOSITORY

pytestmark = pytest.mark.real_data
EVERY = csv.DictReader((REPOSITORY / "data/controls/controls.csv").open(encoding="utf-8"))
CONTROLS = [control for control in EVERY if control["indicator"]]  # the others are about facts


def published(here, control: dict[str, str]) -> list[tuple]:
    cell = dict.fromkeys(["age", *breakdown_columns(REPOSITORY / "data")], "_T")
    cell |= dict(part.split("=") for part in control["breakdown"].split(";") if part)
    conditions = "".join(f" and {name} = '{value}'" for name, value in cell.items())
    con = connect(settings=here.settings)
    try:
        return con.execute(
            "select obs_value, standard_error from indicator_value where indicator = ? and source = ? and vintage = ?"
            f" and time_period = ? and ref_area = ? and counterpart_area = ? and sex = ?{conditions}",
            [
                control[k]
                for k in ("indicator", "source", "vintage", "time_period", "ref_area", "counterpart_area", "sex")
            ],
        ).fetchall()
    finally:
        con.close()


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control["control_id"])
def test_published_figure_is_the_control_figure(whole_night, control: dict[str, str]) -> None:
    rows = published(whole_night[0], control)
    assert len(rows) == 1, "a control names exactly one figure"
    value, error = rows[0]
    # A sample's share may miss the full count by its sampling error: two and a half standard errors.
    tolerance = 2.5 * error if control["tolerance"] == "sampling" else float(control["tolerance"])
    assert abs(value - float(control["value"])) <= tolerance + 1e-9


BORN_ABROAD, AT_WORK = "p25_lug_nacimiento = 3", "p25_lug_nacimiento = 3 and sit_fuerza_trabajo = 1"
# Share of the Chilean census -> who is counted, among whom, by what; each a condition on the office's own codes.
COUNTED_BY_HAND = {
    "C04": ("true", f"{BORN_ABROAD} and cine11 between 1 and 11", "education_lev",
        "case when cine11 < 5 then 'ED0-1' when cine11 = 5 then 'ED2' when cine11 < 8 then 'ED3-4' else 'ED5-8' end"),
    "C05": ("sit_fuerza_trabajo = 1", f"{BORN_ABROAD} and edad between 15 and 64 and sit_fuerza_trabajo > 0", "", ""),
    "C06": ("sit_fuerza_trabajo = 2", f"{BORN_ABROAD} and edad >= 15 and sit_fuerza_trabajo in (1, 2)", "", ""),
    "C07": ("cod_ciuo between 4 and 9", f"{AT_WORK} and cine11 between 8 and 11 and cod_ciuo between 0 and 9", "", ""),
    "C08": ("true", f"{AT_WORK} and cod_ciuo between 0 and 9", "occupation", "cod_ciuo"),
    "C08/branch": ("true", f"{AT_WORK} and cod_caenes between 'A' and 'U'", "economic_activity", "cod_caenes"),
    "E04": ("p33_edu_asiste = 1", "p27_nacionalidad_rec = 2 and edad between 6 and 17 and p33_edu_asiste > 0", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED_BY_HAND)
def test_shares_of_the_chilean_census_are_those_counted_in_its_file(whole_night, name: str) -> None:
    counted, among, *by = COUNTED_BY_HAND[name]
    dimension, code = (one or "'_T'" for one in by)
    here, _ = whole_night
    (file,) = (here.home / "identified/landing/chile_census").rglob("personas_*.parquet")
    by_hand = dict(
        duckdb.sql(
            f"select cast({code} as varchar), 100 * count(*) filter ({counted}) / sum(count(*)) over ()"
            f" from '{file}' where {among} group by all"
        ).fetchall()
    )
    con = connect(settings=here.settings)
    published = dict(
        con.execute(
            f"select {dimension}, obs_value from indicator_series join indicator_observation using (series_no)"
            " where indicator = ? and source = 'chile_census' and ref_area = 'CHL' and cell = ? and conf_status = 'F'",
            [name[:3], by[0]],
        ).fetchall()
    )
    con.close()
    assert published
    assert published == pytest.approx({one: by_hand[one] for one in published}, rel=1e-9)


def test_controls_are_compared_in_the_build_and_told_in_the_notes(whole_night) -> None:
    here, _ = whole_night
    con = connect(settings=here.settings, staff=True)
    compared = con.execute(
        "select count(*), count(*) filter (is_met), count(our_value) from indicators.controls_compared"
        " where data_kind != 'synthetic'"
    ).fetchall()
    con.close()
    assert compared == [(len(CONTROLS),) * 3]
    notes = next((here.home / "releases").glob("r*/public/RELEASE_NOTES.md")).read_text(encoding="utf-8")
    assert "## Controls" in notes
    assert "Missed" not in notes


def test_population_balances_to_rounding(whole_night) -> None:
    con = connect(settings=whole_night[0].settings)
    rows = dict(
        con.execute(
            "select indicator, obs_value from indicator_value"
            " where source = 'un_wpp' and ref_area = 'TUN' and time_period = '2023'"
        ).fetchall()
    )
    con.close()
    assert abs(rows["P02"] - rows["P03"] + rows["B04"] - rows["P05"]) <= 1


def test_a_truncated_zip_is_refused_and_the_rest_published(whole_night) -> None:
    here, printed = whole_night
    states = {
        one["batch"].rsplit("/", 1)[0]: one for one in json.loads(here.hims("status", "--format", "json"))["batches"]
    }
    assert states["argentina_eph/2021Q1"]["state"] == "refused"
    (reason,) = states["argentina_eph/2021Q1"]["reasons"]
    assert reason.startswith("ENVELOPE-ARCHIVE [file 1]")
    assert "TRUNCATED" not in reason
    assert "incomplete" in states["argentina_eph/2021Q1"]["reasons"][0]
    assert [period for period, one in states.items() if one["state"] == "accepted" and period.startswith("argentina")]
    assert "Release r000001" in printed


def test_both_editions_of_a_stock_stand_side_by_side(whole_night) -> None:
    con = connect(settings=whole_night[0].settings)
    rows = con.execute(
        """select vintage, count(distinct series_key), count(*) from indicator_value
           where source = 'undesa_migrant_stock' and ref_area = 'TUN' and indicator = 'A07'
               and counterpart_area = '_T' and sex = '_T' and time_period = '2020'
           group by vintage order by vintage"""
    ).fetchall()
    con.close()
    assert rows == [("2020", 1, 1), ("2024", 1, 1)]


def test_the_same_run_again_changes_nothing(whole_night) -> None:
    here, _ = whole_night
    before = (here.home / "releases/CURRENT").read_text()
    printed = here.hims("run")
    assert "Nothing to build: r000001" in printed
    assert (here.home / "releases/CURRENT").read_text() == before
    assert here.hims("release", "verify").strip() == "r000001: intact"
