"""Indicators with a model of their own, each on a few rows whose figures are counted by hand. Here no dbt runs: the
models are compiled and tried in DuckDB."""

from math import log

import pytest

from hims_pipeline.contracts.indicators import breakdown_columns, code_in_name
from hims_pipeline.settings import REPOSITORY
from tests.indicators.conftest import BATCH
from tests.jinja import compiler
from tests.warehouse import Warehouse

YEAR = BATCH | {"reference_year": 2023}
# A figure of another indicator, as a model reads it.
FIGURE = {name: value for name, value in BATCH.items() if name not in ("batch_id", "ref_country")} | {
    "ref_area": "XNL", "counterpart_area": "_Z", "sex": "_T", "age": "_T", "boundary_version": "_Z", "obs_status": "A",
    "is_microdata": True,
}  # fmt: skip


def test_every_model_has_the_columns_of_a_figure_and_no_breakdown_that_it_does_not_give(warehouse: Warehouse) -> None:
    def shape(model: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in warehouse.con.execute(f"describe {model}").fetchall()}

    models = [name for name in warehouse.sql if code_in_name(name)]
    assert len(models) > 70
    whole, breakdowns = shape("ind_figures__judged"), breakdown_columns(REPOSITORY / "data")
    for model in models:
        own = shape(model)
        assert own.items() <= whole.items(), model
        assert set(whole) - set(own) <= set(breakdowns), model
    assert "route" not in shape("p01_resident_population")
    assert "route" in shape("c11_regular_and_irregular_entry")


def test_a_series_has_one_name_whatever_breakdowns_its_model_has(warehouse: Warehouse) -> None:
    figure = (
        "select 'A01' as indicator, 'A' as freq, 'XNL' as ref_area, '_Z' as counterpart_area, 'M' as sex, '_T' as age,"
    )
    figure += " '12M' as duration_rule, 'u' as universe, '_Z' as boundary_version, '_Z' as window_length,"
    figure += " 's' as source, 'real' as data_kind,"
    compiled = compiler()
    keys = {
        warehouse.con.execute(
            f"select {compiled('{{ series_key(' + repr('figures') + ', ' + repr(names) + ') }}')}"
            f" from ({figure} '_T' as reason, '{route}' as route) as figures"
        ).fetchall()[0][0]
        for names, route in [([], "_T"), (["reason"], "_T"), (["reason", "route"], "_T"), (["route"], "SEA")]
    }
    assert len(keys) == 2  # the last one is another series


@pytest.mark.parametrize(
    ("freq", "start", "end", "window"),
    [
        ("A", "2024-01-01", "2024-12-31", "_Z"),
        ("A", "2024-05-19", "2024-05-19", "_Z"),
        ("A", "2020-07-01", "2021-09-30", "_Z"),  # fieldwork
        ("A", "1989-04-20", "1994-04-20", "P5Y"),
        ("A", "2019-05-19", "2024-05-18", "P5Y"),
        ("A", "2004-04-28", "2014-11-12", "P3851D"),
        ("M", "2024-02-01", "2024-02-29", "_Z"),
        ("Q", "2024-01-01", "2024-12-31", "P1Y"),
    ],
)
def test_a_window_that_is_not_the_period_is_part_of_the_series(
    warehouse: Warehouse, freq: str, start: str, end: str, window: str
) -> None:
    sql = compiler()("{{ window_length('starts', 'ends', 'freq') }}")
    found = warehouse.con.execute(f"select {sql} from (select '{freq}' as freq, '{start}' as starts, '{end}' as ends)")
    assert found.fetchall() == [(window,)]


@pytest.mark.parametrize(
    ("statuses", "one"),
    [("A", "A"), ("A;I", "I"), ("U;D", "D"), ("B;P;U", "B"), ("U;I", "U"), ("N", "N"), ("A;P", "P"), ("A;N", "N")],
)
def test_sdmx_has_room_for_one_status(warehouse: Warehouse, statuses: str, one: str) -> None:
    sql = compiler()("{{ one_status('statuses') }}")
    assert warehouse.con.execute(f"select {sql} from (select '{statuses}' as statuses)").fetchall() == [(one,)]


MIRROR_CELL = {
    "measure": "POPULATION", "country_of_citizenship_code": "XNL", "country_of_birth_code": "_W", "sex": "_T",
    "source": "s", "vintage": "v", "data_kind": "real", "duration_rule": "12M", "universe": "u", "dataset_code": "d",
} | dict.fromkeys(
    ("age", "reason_code", "permit_duration", "ground_code", "place_code", "applicant_type", "border_route"), "_T"
)  # fmt: skip


def test_immigrants_by_citizenship_are_told_where_the_country_publishes_its_total(warehouse: Warehouse) -> None:
    cell = MIRROR_CELL | {"measure": "IMMIGRATION", "reference_year": 2022, "obs_status": "A",
                          "reference_start_date": "2022-01-01", "reference_end_date": "2022-12-31"}  # fmt: skip
    told = [("ITA", "_W", 10), ("ITA", "ITA", 3), ("ITA", "TUN", 2), ("ITA", "_U", 1), ("FRA", "TUN", 9)]
    rows = [
        cell | {"reporting_country_code": country, "country_of_citizenship_code": citizenship, "observed_value": value}
        for country, citizenship, value in told
    ]
    rows.append(rows[2] | {"country_of_birth_code": "TUN", "observed_value": 99})
    found = warehouse.figures("b01_immigration", {"fct_mirror_cells": rows}, "ref_area, citizenship, sex, obs_value")
    assert found == [
        ("ITA", "ITA", "_T", 3.0), ("ITA", "TUN", "_T", 2.0), ("ITA", "_T", "_T", 10.0), ("ITA", "_U", "_T", 1.0),
    ]  # fmt: skip


def test_a_total_over_other_reporters_than_the_year_before_is_a_break(warehouse: Warehouse) -> None:
    cell = MIRROR_CELL
    reports = {2018: "FRA ITA", 2019: "DEU ITA", 2020: "DEU ITA", 2021: "DEU", 2023: "DEU ITA"}
    rows = [
        cell | {"reporting_country_code": country, "reference_year": year, "observed_value": 10, "obs_status": "P",
                "reference_start_date": f"{year}-01-01", "reference_end_date": f"{year}-01-01"}
        for year, countries in reports.items() for country in countries.split()
    ]  # fmt: skip
    found = warehouse.figures(
        "a08_citizens_abroad", {"fct_mirror_cells": rows}, "time_period, counterpart_area, obs_status"
    )
    totals = {year: status for year, counterpart, status in found if counterpart == "_T"}
    assert totals == {"2018": "P", "2019": "B;P", "2020": "P", "2021": "B;P", "2023": "B;P"}
    assert {status for _, counterpart, status in found if counterpart != "_T"} == {"P"}


def test_the_headline_is_one_real_figure_of_the_first_source_with_the_others_beside_it(warehouse: Warehouse) -> None:
    asked = {"indicator": "A02", "ref_area": "XNL", "time_period": "2024", "window_length": "_Z", "sex": "_T",
             "age": "_T", "counterpart_area": "_Z", "universe": "residents", "duration_rule": "12M",
             "cell": "", "level": "country", "question_no": 1}  # fmt: skip
    asked |= dict.fromkeys(breakdown_columns(REPOSITORY / "data"), "_T")
    answers = [("s", "synthetic", "_Z", 1), ("z", "real", "2024", 2), ("y+s", "real", "2020", 3),
               ("y", "real", "2024", 4), ("other", "real", "2030", 5), ("y", "real", "2030", None)]  # fmt: skip
    rows = [
        asked | {"source": source, "data_kind": kind, "vintage": vintage, "obs_value": value}
        for source, kind, vintage, value in answers
    ]
    rows.append(rows[1] | {"sex": "F", "obs_value": 9, "question_no": 2})
    rows.append(rows[1] | {"universe": "returned", "obs_value": 7, "question_no": 3})
    nothing_real = {"ref_area": "XSL", "obs_value": 6, "question_no": 4}
    rows.append(rows[0] | nothing_real)
    rows = [{"series_no": number, "series_key": f"A02.{number}"} | row for number, row in enumerate(rows)]
    of_figures = ("series_no", "time_period", "vintage", "obs_value")
    given = {
        "indicator_series": [{one: row[one] for one in row if one not in of_figures[1:]} for row in rows],
        "indicator_observation": [{one: row[one] for one in of_figures} for row in rows],
        "indicators": [{"code": "A02", "sources": "s y z", "universe": "residents"}],
        "indicator_universes": [{"indicator": "A02", "universe": "residents", "answers_for": "residents"}],
    }
    names = ("indicator", "ref_area", "question_no", "series_no", "time_period", "vintage", "place")
    behind = [
        dict(zip(names, one, strict=True))
        for one in warehouse.figures("indicator_alternative", given, ", ".join(names))
    ]
    assert {one["series_no"]: one["place"] for one in behind} == {0: None, 1: 3, 2: 2, 4: 4}
    given |= {"indicator_alternative": behind, "indicator_value": rows, "v_indicator_values": rows}
    shown = "ref_area, answers_for, sex, obs_value, [one.obs_value for one in others]"
    found = warehouse.figures("v_headline", given, shown)
    assert found == [
        ("XNL", "residents", "F", 9.0, []), ("XNL", "residents", "_T", 4.0, [3.0, 2.0, 5.0]),
        ("XNL", "returned", "_T", 7.0, []), ("XSL", "residents", "_T", 6.0, []),
    ]  # fmt: skip


def test_a_question_has_one_number_whoever_answers_it(warehouse: Warehouse) -> None:
    asked = {"indicator": "A02", "ref_area": "XNL", "counterpart_area": "_Z", "sex": "_T", "age": "_T",
             "window_length": "_Z"} | dict.fromkeys(breakdown_columns(REPOSITORY / "data"), "_T")  # fmt: skip
    sql = compiler()("{{ question_no('series', 'series.answers_for') }}")

    def number(**changed: str) -> int:
        series = asked | {"answers_for": "residents", "source": "s", "duration_rule": "12M"} | changed
        columns = ", ".join(f"'{value}' as {name}" for name, value in series.items())
        [(one,)] = warehouse.con.execute(f"select {sql} from (select {columns}) as series").fetchall()
        return one

    assert number() == number(source="z", duration_rule="6M")
    others = [number(answers_for="returned"), *(number(**{name: "X"}) for name in asked)]
    assert len({number(), *others}) == 1 + len(others)


def test_the_first_figure_after_a_break_says_so(warehouse: Warehouse) -> None:
    figure = {"indicator": "P01", "series_key": "P01.1", "source": "z+s", "vintage": "_Z"}
    years = [
        figure | {"period_start_date": f"{y}-01-01", "period_end_date": f"{y}-12-31"} for y in (2020, 2021, 2022, 2023)
    ]
    breaks = [{"break_id": "moved", "source": "s", "from_date": "2021-06-01"}]
    given = {"ind_figures__judged": years, "series_breaks": breaks}
    assert [str(day) for (day,) in warehouse.figures("ind_breaks__judged", given, "period_start_date")] == [
        "2021-01-01"
    ]
    other = given | {"series_breaks": [breaks[0] | {"indicator": "A02"}]}
    assert warehouse.figures("ind_breaks__judged", other, "period_start_date") == []


def test_a_record_with_a_formula_is_a_whole_indicator(warehouse: Warehouse) -> None:
    base = BATCH | {"entity": "e", "stratum": "_T", "weight_persons": 1, "migrant_group": "RETURN_MIGRANT"}
    people = [base | {"psu": str(i), "sex": "MF"[i % 2], "has_invested": "YES" if i < 3 else "NO"} for i in range(8)]
    given = {
        "fct_migrants": [*people, base | {"psu": "9", "sex": "M", "has_invested": "_R"}],
        "dim_batch": [BATCH | {"entity": "e", "design_kind": "sample"}],
    }
    found = warehouse.figures("c18_returned_who_invest", given, "indicator, sex, obs_value, n_obs, standard_error > 0")
    assert found == [("C18", "F", 25.0, 1, True), ("C18", "M", 50.0, 2, True), ("C18", "_T", 37.5, 3, True)]


def test_c07_and_e04_count_those_of_whom_it_is_known(warehouse: Warehouse) -> None:
    base = BATCH | {"entity": "e", "stratum": "_T", "weight_persons": 1, "sex": "F", "is_foreign_born": True}
    worker = base | {"activity_status": "EMP", "education_level": "ED5-8", "is_foreign_citizen": False}
    pupil = base | {"is_foreign_citizen": True, "activity_status": "_Z", "occupation_code": "_Z"}
    people = [worker | {"occupation_code": code} for code in ("0", "22", "411", "9", "_U")]
    people += [worker | {"occupation_code": "9"} | other for other in (
        {"is_foreign_born": False}, {"activity_status": "OUT"}, {"education_level": "ED3-4"},
    )]  # fmt: skip
    ages = [(5, "ATTENDING"), (6, "ATTENDING"), (17, "NOT_ATTENDING"), (17, "ATTENDING"), (18, "ATTENDING"), (9, "_U")]
    people += [pupil | {"age_years": age, "school_attendance": status} for age, status in ages]
    given = {
        "fct_persons": [one | {"psu": str(at)} for at, one in enumerate(people)],
        "dim_batch": [BATCH | {"entity": "e", "design_kind": "sample"}],
    }
    wanted = "sex, numerator, denominator, n_numerator, standard_error > 0"
    found = warehouse.figures("c07_over_qualification", given, wanted)
    assert found == [("F", 2.0, 4.0, 2, True), ("_T", 2.0, 4.0, 2, True)]
    found = warehouse.figures("e04_foreign_children_enrolled", given, wanted)
    assert found == [("F", 2.0, 3.0, 2, True), ("_T", 2.0, 3.0, 2, True)]


def test_b04_takes_over_the_component(warehouse: Warehouse) -> None:
    rows = [
        YEAR | {"country_code": "XNL", "component": c, "value_persons": v}
        for c, v in [("NET_MIGRATION", -7), ("BIRTHS", 9)]
    ]
    given = {"fct_population_components": rows}
    assert warehouse.figures("b04_net_migration", given, "ref_area, time_period, obs_value") == [("XNL", "2023", -7.0)]


def test_b06_is_per_thousand_of_the_same_year_and_takes_the_weakest_kind(warehouse: Warehouse) -> None:
    moved = YEAR | {"country_code": "XNL", "component": "NET_MIGRATION", "value_persons": -10}
    there = YEAR | {"country_code": "XNL", "component": "POPULATION", "value_persons": 4000}
    other = there | {"source": "z", "data_kind": "synthetic", "value_persons": 2000}
    given = {"fct_population_components": [moved, there, other, there | {"reference_year": 2022}]}
    found = warehouse.figures("b06_net_migration_rate", given, "source, data_kind, obs_value, denominator")
    assert found == [("s", "real", -2.5, 4000.0), ("s+z", "synthetic", -5.0, 2000.0)]


def test_b07_is_per_thousand_years_lived_within_the_window(warehouse: Warehouse) -> None:
    """A population of 100 that doubles in ten years, of which a census asks about five and a survey about one."""
    days = 3652
    grown = {
        "source": "census", "data_kind": "real", "vintage": "_Z", "ref_country": "XNL", "area_code": "_T",
        "boundary_version": "_Z", "first_census_date": "2004-05-01", "second_census_date": "2014-05-01",
        "first_persons": 100, "growth_rate": log(2) / days * 365.25,
    }  # fmt: skip
    whole = FIGURE | {"freq": "A", "source": "census", "n_obs": 6, "obs_value": 6, "standard_error": 2, "ci_upper": 12}
    window = whole | {"time_period": "2014", "period_start_date": "2009-05-02", "period_end_date": "2014-05-01"}
    given = {
        "int_population__growth": [grown],
        "b02_emigration": [
            window,
            window | {"sex": "F", "obs_value": 3},  # a cell
            window | {"period_start_date": "2014-01-01", "period_end_date": "2014-12-31"},  # beyond the last census
            whole | {"source": "survey", "period_start_date": "2005-01-01", "period_end_date": "2005-12-31"},
        ],
    }
    found = warehouse.figures(
        "b07_crude_emigration_rate", given,
        "source, numerator, denominator, obs_value, standard_error, ci_upper, window_length",
    )  # fmt: skip
    for row, first, last, source in zip(found, (1826, 244), (days, 609), ("census", "survey+census"), strict=True):
        lived = 100 * (2 ** (last / days) - 2 ** (first / days)) / grown["growth_rate"]
        assert (row[0], row[1], row[6]) == (source, 6.0, "P5Y" if source == "census" else "_Z")
        assert row[2:6] == pytest.approx((lived, 6000 / lived, 2000 / lived, 12000 / lived), rel=1e-10)


def test_c08_is_each_branch_in_percent_of_all_insured(warehouse: Warehouse) -> None:
    figure = FIGURE | {"citizenship": "_T"}
    held = [("_T", 4, figure), ("F", 2, figure), ("I", 3, figure)]
    held += [("_T", 1, figure | {"sex": "F"}), ("F", 2, figure | {"boundary_version": "1990"})]
    given = {
        "a16_foreign_insured": [of | {"economic_activity": code, "obs_value": n, "n_obs": n} for code, n, of in held]
    }
    found = warehouse.figures("c08_branches", given, "economic_activity, obs_value, n_numerator, n_denominator")
    assert found == [("F", 50.0, 2, 4), ("I", 75.0, 3, 4)]


def test_b15_is_entries_less_exits_and_provisional_before_the_last_day(warehouse: Warehouse) -> None:
    row = BATCH | {"crossing_date": "2024-01-30", "country_of_citizenship_code": "CIV"}
    given = {"fct_border_crossings": [row | {"direction": way} for way in ("ENTRY", "ENTRY", "ENTRY", "EXIT")]}
    found = warehouse.figures("b15_border_balance", given, "citizenship, obs_value, n_obs, obs_status, is_microdata")
    assert found == [("CIV", 2.0, 4, "P", True), ("_T", 2.0, 4, "P", True)]


def test_e01_counts_the_dead_of_each_year_and_the_last_one_may_grow(warehouse: Warehouse) -> None:
    row = BATCH | {"country_code": "XNL", "dead_missing_persons": 2}
    given = {"fct_incidents": [row | {"incident_date": day} for day in ("2022-05-01", "2022-06-01", "2023-02-01")]}
    found = warehouse.figures("e01_dead_missing", given, "time_period, obs_value, obs_status")
    assert found == [("2022", 4.0, "D"), ("2023", 2.0, "D;P")]


def test_d03_divides_within_one_source_edition_and_currency(warehouse: Warehouse) -> None:
    row = YEAR | {"country_code": "XNL", "currency": "USD"}
    given = {
        "fct_country_series": [
            row | {"series": "REMITTANCES_RECEIVED", "observed_value": 5},
            row | {"series": "GDP", "observed_value": 200},
            row | {"series": "GDP", "observed_value": 100, "currency": "XNK"},
        ]
    }
    assert warehouse.figures("d03_remittances_gdp_share", given, "obs_value, denominator") == [(2.5, 200.0)]
