"""Totals over reporting countries beside a constant panel of them, on a table of four countries made by hand."""

from datetime import date

import duckdb
import pytest

from hims_pipeline.contracts.indicators import breakdown_columns
from hims_pipeline.settings import REPOSITORY
from tests.jinja import PROJECT, compiled_model

DIMENSIONS = [
    "indicator", "ref_area", "level", "cell", "sex", "age",
    "source", "vintage", "universe", "duration_rule", "data_kind", *breakdown_columns(REPOSITORY / "data"),
]  # fmt: skip
# France leaves the file, the United Kingdom leaves the Union, Italy has a gap, Germany is always there.
FIGURES = {
    "DEU": {2018: 10, 2019: 11, 2020: 12, 2021: 13},
    "FRA": {2018: 100, 2019: 101},
    "GBR": {2018: 20, 2019: 20, 2020: 20, 2021: 20},
    "ITA": {2018: 50, 2020: 52, 2021: 53},
}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for name in ("countries", "country_groups", "country_group_members"):
        path = REPOSITORY / "data/codelists" / f"{name}.csv"
        con.execute(f"create table {name} as from read_csv('{path}', all_varchar = true, null_padding = false)")
    con.execute("create table indicators (code varchar, ref_area_side varchar, measure_type varchar)")
    con.execute("insert into indicators values ('A08', 'origin', 'stock'), ('A17', 'origin', 'ratio')")
    columns = ", ".join(f"{name} varchar" for name in [*DIMENSIONS, "freq", "time_period", "counterpart_area"])
    columns += ", period_end_date date, obs_value double, window_length varchar"
    con.execute(f"create table indicator_value ({columns})")
    for indicator in ("A08", "A17"):
        for country, figures in FIGURES.items():
            for year, value in figures.items():
                own = [indicator, *["x"] * (len(DIMENSIONS) - 1), "A", str(year), country, date(year, 12, 31), value]
                con.execute(f"insert into indicator_value values ({', '.join('?' * len(own))}, '_Z')", own)
    withheld = ["A08", *["x"] * (len(DIMENSIONS) - 1), "A", "2021", "ESP", date(2021, 12, 31), None]
    con.execute(f"insert into indicator_value values ({', '.join('?' * len(withheld))}, '_Z')", withheld)
    view = compiled_model(PROJECT / "models/published/v_constant_panel.sql")
    con.execute(f"create view v_constant_panel as {view}")
    return con


def rows(con: duckdb.DuckDBPyConnection, group: str, since: int) -> list[tuple]:
    return con.execute(
        "select time_period, panel_value, panel_countries, reported_value, reporting_countries from v_constant_panel"
        " where indicator = 'A08' and group_code = ? and since = ? order by 1",
        [group, str(since)],
    ).fetchall()


def test_the_panel_has_who_reports_in_every_year(con) -> None:
    assert rows(con, "_T", 2018) == [
        ("2018", 30.0, 2, 180.0, 4),
        ("2019", 31.0, 2, 132.0, 3),
        ("2020", 32.0, 2, 84.0, 3),
        ("2021", 33.0, 2, 86.0, 3),
    ]


def test_a_later_panel_has_more_countries(con) -> None:
    assert rows(con, "_T", 2020) == [("2020", 84.0, 3, 84.0, 3), ("2021", 86.0, 3, 86.0, 3)]


def test_a_group_has_the_members_of_the_day(con) -> None:
    assert [row[3:] for row in rows(con, "EU_V", 2018)] == [(180.0, 4), (132.0, 3), (64.0, 2), (66.0, 2)]
    assert [row[1:3] for row in rows(con, "EU_V", 2018)] == [(10.0, 1), (11.0, 1), (12.0, 1), (13.0, 1)]


def test_a_group_of_one_composition_has_it_at_all_times(con) -> None:
    assert [row[3:] for row in rows(con, "EU28", 2018)] == [(180.0, 4), (132.0, 3), (84.0, 3), (86.0, 3)]
    assert [row[3:] for row in rows(con, "EU27_2020", 2018)] == [(160.0, 3), (112.0, 2), (64.0, 2), (66.0, 2)]
    assert [row[3:] for row in rows(con, "150", 2018)] == [(180.0, 4), (132.0, 3), (84.0, 3), (86.0, 3)], "M49: Europe"


def test_only_what_can_be_added_is_added(con) -> None:
    assert con.execute("select distinct indicator from v_constant_panel").fetchall() == [("A08",)]
    grain = "indicator, group_code, since, time_period"
    assert con.execute(f"select {grain} from v_constant_panel group by all having count(*) > 1").fetchall() == []
