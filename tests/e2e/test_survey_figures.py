"""What was published of the migration survey comes out of its synthetic sample again, at the sample's scale."""

import csv

import pytest

from hims_pipeline import connect
from hims_pipeline.settings import REPOSITORY
from hims_synthetic.raking import scale_parts
from hims_synthetic.samples import SCALE

SOURCE = "hims_survey"
with (REPOSITORY / "data/controls/tunisia_published.csv").open(encoding="utf-8", newline="") as _file:
    CONTROLS = [row for row in csv.DictReader(_file) if row["source"] == SOURCE]
WITHHELD = {"TUN-C12-2021-Y_GE60"}  # at this scale it would give away those who are not in it
SEX = {"A05": {"M": 388_000, "F": 178_000}, "A10": {"M": 176_000, "F": 35_000}}


@pytest.fixture(scope="module")
def published(whole_night):
    con = connect(settings=whole_night[0].settings)
    yield con
    con.close()


@pytest.mark.parametrize("control", [row for row in CONTROLS if row["indicator"]], ids=lambda row: row["control_id"])
def test_published_figures_come_out_again(published, control: dict[str, str]) -> None:
    cell = {"age": "_T"} | dict(part.split("=") for part in control["breakdown"].split(";") if part)
    where = "".join(f" and {name} = '{value}'" for name, value in cell.items())
    rows = published.execute(
        f"""select obs_value, standard_error, conf_status from indicator_value where indicator = ? and source = ?
            and time_period = ? and ref_area = ? and counterpart_area = ? and sex = ?{where}
            and education_lev = '_T' and reason = '_T' and route = '_T' and last_country = '_T' and return_mode = '_T'
            and citizenship = '_T' and activity = '_T'""",
        [control[k] for k in ("indicator", "source", "time_period", "ref_area", "counterpart_area", "sex")],
    ).fetchall()
    assert len(rows) == 1
    value, error, status = rows[0]
    wanted = float(control["value"])
    if control["unit"] == "PERSONS":
        by_sex = scale_parts(SEX.get(control["indicator"], {"_T": wanted}), SCALE)
        wanted = by_sex.get(control["sex"], sum(by_sex.values()))
    assert status == ("C" if control["control_id"] in WITHHELD else "F")
    if status == "C":
        return
    assert value == pytest.approx(wanted, abs=0.001 if control["unit"] == "PERSONS" else float(control["tolerance"]))
    assert error > 0


def test_africans_outside_the_maghreb(whole_night) -> None:
    """From the fact: of most single countries there are too few records to publish."""
    wanted = next(float(row["value"]) for row in CONTROLS if not row["indicator"])
    found = whole_night[0].hims(
        "query",
        """select round(sum(weight_persons), 3) as persons from conformed.fct_migrants as m
           join conformed.dim_country as c on m.country_of_citizenship_code = c.country_code
           where m.migrant_group = 'FOREIGN_RESIDENT' and c.region_m49_code = '002'
               and m.country_of_citizenship_code not in ('DZA', 'LBY', 'MAR', 'MRT', 'ESH')""",
        "--staff", "--format", "csv",
    )  # fmt: skip
    assert str(float(round(wanted * SCALE))) in found


def test_populations_of_a_survey_stay_apart(published) -> None:
    """Each has its own universe and duration rule, so no two share a series."""
    rows = published.execute(
        "select distinct indicator, universe, duration_rule from indicator_value where source = ?", [SOURCE]
    ).fetchall()
    rules = {(indicator, universe): rule for indicator, universe, rule in rows}
    assert len(rules) == len(rows)
    assert rules["A05", "emigrants_15_plus"] == "NONE"
    assert rules["A10", "return_migrants_15_plus"] == "3M"
    assert rules["C12", "non_migrants_15_plus"] == "3M"
    assert rules["A01", "foreign_residents"] == "6M"
    assert {universe for indicator, universe in rules if indicator == "D09"} == {
        "emigrants_15_plus", "return_migrants_15_plus",
    }  # fmt: skip


def test_refused_unknown_and_not_asked_arrive_in_the_fact(whole_night) -> None:
    found = whole_night[0].hims(
        "query",
        f"""with told as (select * from conformed.fct_migrants where source = '{SOURCE}')
            select distinct migrant_group || ' ' || has_plan as codes from told
            union select distinct migrant_group || ' ' || intends_to_migrate from told""",
        "--staff", "--format", "csv",
    )  # fmt: skip
    assert {"NON_MIGRANT _R", "NON_MIGRANT _U", "NON_MIGRANT _Z", "FOREIGN_RESIDENT _Z"} <= set(found.splitlines())
