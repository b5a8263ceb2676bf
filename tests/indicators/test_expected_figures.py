"""What the catalogue as it is leads one to expect, beside a few figures typed in."""

import csv
import io

import duckdb
import pytest

from hims_pipeline.contracts.indicators import load_indicators
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.settings import REPOSITORY
from tests.jinja import PROJECT, compiled_model

DATA = REPOSITORY / "data"
RECORDS = load_indicators(DATA)
# (indicator, cell, source, period, value)
FIGURES = [
    ("P01", "", "rgph", "2014", 10.0),
    ("P01", "", "rgph", "2024", 12.0),
    ("P01", "sex", "rgph", "2024", None),
    ("A02", "", "argentina_eph+rgph", "2024", None),
    ("A02", "", "argentina_eph+rgph", "2025", 1.0),
]
SEEN = """select figures, figures_withheld, first_time_period, last_time_period, absence from v_expected_figures
          where indicator = ? and cell = ? and source = ?"""


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    observatory = load_observatory(DATA)
    made = {
        "indicators": [one.as_row(observatory.languages, observatory.policies) for one in RECORDS.values()],
        "indicator_cells": [
            {"indicator": one.code, "cell": " ".join(sorted(cell))}
            for one in RECORDS.values() for cell in one.allowed_cells
        ],
        "sources": [{"source": name} for name in load_contracts(DATA)],
        "indicator_series": [
            {"series_no": str(number), "indicator": indicator, "cell": cell, "source": source}
            for number, (indicator, cell, source, *_) in enumerate(FIGURES)
        ],
        "indicator_observation": [
            {"series_no": str(number), "time_period": period, "obs_value": "" if value is None else str(value)}
            for number, (*_, period, value) in enumerate(FIGURES)
        ],
    }  # fmt: skip
    for name, rows in made.items():
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        path = tmp_path_factory.mktemp(name) / "seed.csv"
        path.write_text(out.getvalue(), encoding="utf-8")
        con.execute(f"create table {name} as from read_csv('{path}', all_varchar = true, header = true)")
    con.execute("update indicator_observation set obs_value = null where obs_value = ''")
    con.execute("update indicator_series set cell = coalesce(cell, '')")
    con.execute("update indicator_cells set cell = coalesce(cell, '')")
    con.execute("update indicators set absence = coalesce(absence, '')")
    con.execute(f"create table definitions as from read_csv('{DATA}/codelists/definitions.csv', all_varchar = true)")
    view = compiled_model(PROJECT / "models/published/v_expected_figures.sql")
    con.execute(f"create view v_expected_figures as {view}")
    return con


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        (("P01", "", "rgph"), (2, 0, "2014", "2024", None)),
        (("P01", "sex", "rgph"), (1, 1, "2024", "2024", "WITHHELD")),
        (("P01", "", "chile_census"), (0, 0, None, None, "NOT_DELIVERED")),
        (("A02", "", "argentina_eph"), (2, 1, "2024", "2025", None)),  # a figure of two sources is of each
        (("A02", "sex", "rgph"), (0, 0, None, None, "NOT_BROKEN_DOWN")),
        (("A01", "", "rgph"), (0, 0, None, None, "NOT_ASKED")),  # of what is delivered, nothing for this indicator
        (("B08", "", "oecd_dioc"), (0, 0, None, None, "NO_SOURCE")),
        (("E07", "", "hims_survey"), (0, 0, None, None, "IN_COLUMN")),
    ],
)
def test_figures_are_counted_or_their_absence_is_explained(con, question: tuple[str, ...], wanted: tuple) -> None:
    assert con.execute(SEEN, list(question)).fetchall() == [wanted]


def test_every_indicator_is_there_and_every_absence_is_labelled(con) -> None:
    rows = con.execute("select distinct indicator from v_expected_figures").fetchall()
    assert {code for (code,) in rows} == set(RECORDS)
    unexplained = con.execute("""
        select * from v_expected_figures
        where (figures = figures_withheld) != (absence is not null and absence_name_fr != '' and absence_name_ar != '')
    """).fetchall()
    assert unexplained == []
    grain = con.execute("select count(*), count(distinct (indicator, cell, source)) from v_expected_figures").fetchall()
    assert grain[0][0] == grain[0][1]


def test_an_absence_has_a_status_that_sdmx_knows(con) -> None:
    told = dict(con.execute("select distinct coalesce(absence, ''), obs_status from v_expected_figures").fetchall())
    assert {name: told[name] for name in ("", "WITHHELD", "NO_SOURCE", "IN_COLUMN", "NOT_ASKED", "NOT_DELIVERED")} == {
        "": None, "WITHHELD": "Q", "NO_SOURCE": "L", "IN_COLUMN": "K", "NOT_ASKED": "O", "NOT_DELIVERED": "O",
    }  # fmt: skip
    known = "select code from definitions where kind = 'obs_status'"
    assert (
        con.execute(f"select distinct obs_status from v_expected_figures where obs_status not in ({known})").fetchall()
        == []
    )
