"""Indicators with a model of their own, each on a few rows whose figures are counted by hand; and a record alone that
makes a new one. Here no dbt runs: the models are compiled and tried in DuckDB."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from hims_pipeline.contracts.facts import load_facts
from hims_pipeline.contracts.indicators import breakdown_columns, code_in_name, load_indicators
from hims_pipeline.contracts.load import read_yaml
from hims_pipeline.errors import ContractError
from hims_pipeline.methods.flows import least_flows, mixed_flows
from hims_pipeline.methods.survival import net_migration
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.staging.indicators import write_indicators
from hims_pipeline.staging.seeds import as_yaml
from tests.jinja import compiler
from tests.warehouse import Warehouse

BATCH = {
    "source": "s", "batch_id": "b", "data_kind": "real", "vintage": "_Z", "duration_rule": "NONE", "universe": "u",
    "freq": "M", "time_period": "2024-01", "period_start_date": "2024-01-01", "period_end_date": "2024-01-31",
    "ref_country": "XNL",
}  # fmt: skip
YEAR = BATCH | {"reference_year": 2023}
NEW = {
    "code": "C16", "name": {"en": "Returned who invest", "fr": "Retour", "ar": "عائدون"},
    "definition": {"en": "-", "fr": "-", "ar": "-"},
    "unit_measure": "PERCENT", "measure_type": "ratio", "framework": "-", "universe": "returned", "sources": ["s"],
    "ref_area_side": "country", "ref_area": "-", "status": "computed", "publish": True, "cells": [[], ["sex"]],
    "formula": [{
        "fact": "migrants", "kind": "share", "cells": [[], ["sex"]], "measure": "has_invested = 'YES'",
        "domain": "migrant_group = 'RETURN_MIGRANT' and has_invested in ('YES', 'NO')",
    }],
}  # fmt: skip


def with_record(root: Path, **changes) -> Settings:
    """Our own data and a new indicator, by its record alone."""
    shutil.copytree(REPOSITORY / "data", root / "data", ignore=shutil.ignore_patterns("samples"))
    path = root / "data/indicators/C-structure.yml"
    records = read_yaml(path)
    formula = [NEW["formula"][0] | changes.pop("formula", {})]
    records["indicators"].append(NEW | {"formula": formula} | changes)
    path.write_text(as_yaml(records), encoding="utf-8")
    return Settings(REPOSITORY, root / "data", REPOSITORY / "expectations", root / "home", env="test")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("warehouse")
    made = Warehouse(with_record(root), root)
    made.build()
    return made


def test_every_model_has_the_columns_of_a_figure_and_no_breakdown_that_it_does_not_give(warehouse: Warehouse) -> None:
    def shape(model: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in warehouse.con.execute(f"describe {model}").fetchall()}

    models = [name for name in warehouse.sql if code_in_name(name)]
    assert len(models) > 70
    whole, breakdowns = shape("ind_figures"), breakdown_columns(REPOSITORY / "data")
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
    [("A", "A"), ("A;I", "I"), ("U;D", "D"), ("B;P;U", "B"), ("D;E", "E"), ("N", "N"), ("A;P", "P"), ("A;N", "N")],
)
def test_sdmx_has_room_for_one_status(warehouse: Warehouse, statuses: str, one: str) -> None:
    sql = compiler()("{{ one_status('statuses') }}")
    assert warehouse.con.execute(f"select {sql} from (select '{statuses}' as statuses)").fetchall() == [(one,)]


def test_a_total_over_other_reporters_than_the_year_before_is_a_break(warehouse: Warehouse) -> None:
    cell = {"measure": "POPULATION", "country_of_citizenship_code": "XNL", "country_of_birth_code": "_W", "sex": "_T",
            "source": "s", "vintage": "v", "data_kind": "real", "duration_rule": "12M", "universe": "u"}  # fmt: skip
    cell |= dict.fromkeys(
        ("age", "reason_code", "permit_duration", "ground_code", "place_code", "applicant_type", "border_route"), "_T"
    )
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
             "cell": "", "level": "country"}  # fmt: skip
    asked |= dict.fromkeys(breakdown_columns(REPOSITORY / "data"), "_T")
    answers = [("s", "synthetic", "_Z", 1), ("z", "real", "2024", 2), ("y+s", "real", "2020", 3),
               ("y", "real", "2024", 4), ("other", "real", "2030", 5), ("y", "real", "2030", None)]  # fmt: skip
    rows = [
        asked | {"source": source, "data_kind": kind, "vintage": vintage, "obs_value": value}
        for source, kind, vintage, value in answers
    ]
    rows.append(rows[1] | {"sex": "F", "obs_value": 9})
    rows.append(rows[1] | {"universe": "returned", "obs_value": 7})
    rows.append(rows[0] | {"ref_area": "XSL", "obs_value": 6})  # of whose people nothing real is known
    given = {
        "indicator_series": [{one: row[one] for one in ("indicator", "ref_area", "data_kind")} for row in rows],
        "v_indicator_values": rows,
        "indicators": [{"code": "A02", "sources": "s y z", "universe": "residents"}],
        "indicator_universes": [{"indicator": "A02", "universe": "residents", "answers_for": "residents"}],
    }
    shown = "ref_area, answers_for, sex, obs_value, [one.obs_value for one in others]"
    found = warehouse.figures("v_headline", given, shown)
    assert found == [
        ("XNL", "residents", "F", 9.0, []), ("XNL", "residents", "_T", 4.0, [3.0, 2.0, 5.0]),
        ("XNL", "returned", "_T", 7.0, []), ("XSL", "residents", "_T", 6.0, []),
    ]  # fmt: skip


def test_the_first_figure_after_a_break_says_so(warehouse: Warehouse) -> None:
    figure = {"indicator": "P01", "series_key": "P01.1", "source": "z+s", "vintage": "_Z"}
    years = [
        figure | {"period_start_date": f"{y}-01-01", "period_end_date": f"{y}-12-31"} for y in (2020, 2021, 2022, 2023)
    ]
    breaks = [{"break_id": "moved", "source": "s", "from_date": "2021-06-01"}]
    given = {"ind_figures": years, "series_breaks": breaks}
    assert [str(day) for (day,) in warehouse.figures("ind_breaks", given, "period_start_date")] == ["2021-01-01"]
    other = given | {"series_breaks": [breaks[0] | {"indicator": "A02"}]}
    assert warehouse.figures("ind_breaks", other, "period_start_date") == []


def test_a_record_with_a_formula_is_a_whole_indicator(warehouse: Warehouse) -> None:
    base = BATCH | {"entity": "e", "stratum": "_T", "weight_persons": 1, "migrant_group": "RETURN_MIGRANT"}
    people = [base | {"psu": str(i), "sex": "MF"[i % 2], "has_invested": "YES" if i < 3 else "NO"} for i in range(8)]
    given = {
        "fct_migrants": [*people, base | {"psu": "9", "sex": "M", "has_invested": "_R"}],
        "dim_batch": [BATCH | {"entity": "e", "design_kind": "sample"}],
    }
    found = warehouse.figures("c16_returned_who_invest", given, "indicator, sex, obs_value, n_obs, standard_error > 0")
    assert found == [("C16", "F", 25.0, 1, True), ("C16", "M", 50.0, 2, True), ("C16", "_T", 37.5, 3, True)]


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


# Thousands by birthplace (rows) and residence (columns) at both ends (Abel & Cohen 2019, Scientific Data 6: 82).
ENDS = {
    2015: [[100, 10, 10, 0], [80, 180, 10, 90], [30, 10, 140, 40], [60, 70, 10, 160]],
    2020: [[95, 5, 15, 5], [75, 225, 5, 55], [55, 0, 115, 50], [35, 25, 25, 215]],
}


def stocks_and_components(births: float = 0, deaths: float = 0) -> dict[str, list[dict]]:
    """What sources of stocks and of population say of the two ends.

    Args:
        births: of all years together, in A.
        deaths: of all years together, as a share of those who live in A.
    """
    sides = {year: {(b, r): 1000.0 * table[i][j] for i, b in enumerate("ABCD") for j, r in enumerate("ABCD")}
             for year, table in ENDS.items()}  # fmt: skip
    people = {year: {r: sum(table[b, r] for b in "ABCD") for r in "ABCD"} for year, table in sides.items()}
    stocks = [
        BATCH | {"source": "stock", "reference_year": year, "origin_code": b, "destination_code": r, "stock_persons": n}
        for year, table in sides.items() for (b, r), n in table.items() if b != r
    ]  # fmt: skip
    first = people[2015]
    dead = {r: deaths * first[r] if r == "A" else 0.0 for r in "ABCD"}
    born = {r: births if r == "A" else 0.0 for r in "ABCD"}
    change = {r: people[2020][r] - first[r] for r in "ABCD"}
    parts = [
        {"source": "parts", "reference_year": year, "country_code": r, "component": name, "value_persons": of[r] / 5}
        for year in range(2015, 2020)
        for r in "ABCD"
        for name, of in (("BIRTHS", born), ("DEATHS", dead), ("CHANGE", change))
    ]
    parts += [
        {"source": "people", "reference_year": 2015, "country_code": r, "component": "POPULATION", "value_persons": n}
        for r, n in first.items()
    ]
    return {"fct_migrant_stock": stocks, "fct_population_components": [BATCH | row for row in parts]}


def test_flows_from_stocks_are_those_of_abel_and_cohen_2019(warehouse: Warehouse) -> None:
    rows = warehouse.figures(
        "b34_flows_from_stocks", stocks_and_components(),
        "ref_area, counterpart_area, estimation_method, obs_value, source, vintage, obs_status, window_length",
    )  # fmt: skip
    assert {row[4:] for row in rows} == {("stock+parts+people", "_Z+_Z+_Z", "E", "P5Y")}
    flows = {row[:3]: row[3] for row in rows}
    start, end = (1000 * np.array(table, dtype=float) for table in ENDS.values())
    for method, tables in (("MINIMUM", least_flows(start, end)), ("PSEUDO_BAYESIAN", mixed_flows(start, end))):
        expected = tables.sum(axis=0)
        assert flows["D", "B", "MINIMUM"] == pytest.approx(35_000)
        found = {(a, b): flows.get((a, b, method), 0.0) for a in "ABCD" for b in "ABCD" if a != b}
        here = {(a, b): expected[i, j] for i, a in enumerate("ABCD") for j, b in enumerate("ABCD") if a != b}
        assert found == pytest.approx(here, abs=1e-3)  # of sums of millionths
        totals = sum(value for (_, other, by), value in flows.items() if other == "_T" and by == method)
        assert totals == pytest.approx(
            160_000 if method == "MINIMUM" else 1000 * (0.87 * 160 + 0.13 * 558.0050505), abs=1
        )


def test_deaths_are_taken_off_the_first_stock_and_births_off_the_second_at_home(warehouse: Warehouse) -> None:
    given = stocks_and_components(births=10_000, deaths=0.1)
    rows = warehouse.figures("b34_flows_from_stocks", given, "ref_area, counterpart_area, obs_value, estimation_method")
    flows = {row[:2]: row[2] for row in rows if row[3] == "MINIMUM"}
    start, end = (1000 * np.array(table, dtype=float) for table in ENDS.values())
    start[:, 0] *= 0.9
    end[0, 0] -= 10_000
    mean = (start.sum(axis=1) + end.sum(axis=1)) / 2
    start, end = (table * (mean / table.sum(axis=1))[:, None] for table in (start, end))
    expected = least_flows(start, end).sum(axis=0)
    assert flows["A", "_T"] == pytest.approx(expected[0].sum())
    assert flows["B", "D"] == pytest.approx(expected[1, 3])


@pytest.mark.parametrize("lacking", ["BIRTHS", "POPULATION"])
def test_a_country_without_births_or_population_gives_no_flow(warehouse: Warehouse, lacking: str) -> None:
    given = stocks_and_components()
    given["fct_population_components"] = [
        row for row in given["fct_population_components"] if (row["country_code"], row["component"]) != ("C", lacking)
    ]
    rows = warehouse.figures("b34_flows_from_stocks", given, "ref_area, counterpart_area")
    assert {code for row in rows for code in row} == {"A", "B", "D", "_T"}


def test_net_migration_of_areas_follows_the_survival_ratios_of_the_country(warehouse: Warehouse) -> None:
    """UN Manual VI by hand: two areas, one sex, two age groups; who has no age counts nowhere."""
    counts = {
        2004: {("a", 22): 100, ("b", 22): 300, ("a", 80): 40, ("b", 80): 40, ("a", None): 50},
        2014: {("a", 32): 120, ("b", 32): 240, ("a", 90): 10, ("b", 90): 30, ("a", 5): 500},
    }
    rows = [
        BATCH | {
            "source": "census", "batch_id": f"c{year}", "design_kind": "census", "period_end_date": f"{year}-05-01",
            "record_no": record, "area_code": area, "sex": "F", "age_years": age, "weight_persons": persons / 10,
        }
        for year, cells in counts.items()
        for (area, age), persons in cells.items()
        for record in range(10)
    ]  # fmt: skip
    found = warehouse.figures(
        "b35_survival_net_migration", {"fct_persons": rows},
        "ref_area, sex, estimation_method, obs_value, time_period, window_length, obs_status, n_obs",
    )  # fmt: skip
    first = np.array([[100.0, 40], [300, 40]])
    second = np.array([[120.0, 10], [240, 30]])
    ratio = second.sum(axis=0) / first.sum(axis=0)
    nets = [net_migration(first[at], second[at], ratio) for at in (0, 1)]
    expected = {
        (area, sex, f"CENSUS_SURVIVAL_{method}"): getattr(net, method.lower()).sum()
        for area, net in zip("ab", nets, strict=True) for sex in ("_T", "F") for method in ("FORWARD", "AVERAGE")
    }  # fmt: skip
    assert {row[:3]: row[3] for row in found} == pytest.approx(expected, abs=1e-5)
    assert expected["a", "F", "CENSUS_SURVIVAL_FORWARD"] == pytest.approx(120 - 90 + 10 - 20)
    assert {row[4:] for row in found} == {("2014", "P10Y", "E", 20)}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REPOSITORY / "dbt_project/models/indicators", tmp_path / "indicators"))


def written(data: Path, models: Path) -> list[str]:
    with duckdb.connect() as con:
        return write_indicators(con, models, load_indicators(data), set(load_facts()))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"formula": {"fact": "migrant"}}, "no fact migrant"),
        ({"formula": {"measure": "has_invested = (select 1)"}}, "own columns and nothing else"),
        ({"formula": {"domain": "true) or (true"}}, "syntax error"),
        ({"formula": {"measure": "{{ this }}"}}, "template"),
        ({"formula": {"cells": [[], ["sector"]]}}, "sector is no dimension of it"),
        ({"formula": {"cells": [[], []]}}, "a cell stands twice"),
        ({"formula": {"dimensions": {"age": "broad_age_group"}}}, "no cell has age"),
        ({"formula": {"kind": "total", "parts": ["sex"]}}, "only a share has parts"),
        ({"formula": {"kind": "mean"}}, "a mean or quantile has a `value`"),
        ({"formula": {"kind": "mean", "value": "age_years", "measure": "sex = 'M'"}}, "has no `measure`"),
        ({"formula": {"kind": "share", "value": "age_years"}}, "a mean or quantile has a `value`"),
        ({"formula": {"kind": "difference"}}, "a difference, and nothing else, is `against`"),
        ({"formula": {"kind": "share", "against": "sex = 'F'"}}, "a difference, and nothing else, is `against`"),
        ({"status": "planned", "publish": False, "cells": []}, "says why it is absent, and has no formula"),
        ({"absence": "NO_METHOD"}, "says why it is absent"),
    ],
)
def test_a_formula_that_does_not_hold_is_named(tmp_path: Path, models: Path, changes, says: str) -> None:
    settings = with_record(tmp_path, **changes)
    with pytest.raises(ContractError, match=says):
        written(settings.data, models)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("b99_nobody", "B99 has a model, and no record that says"),
        ("c16_returned_who_invest", "stands there already"),
    ],
)
def test_a_model_without_its_record_is_named(tmp_path: Path, models: Path, name: str, says: str) -> None:
    (models / f"{name}.sql").write_text("select 1", encoding="utf-8")
    with pytest.raises(ContractError, match=says):
        written(with_record(tmp_path).data, models)


def test_what_is_said_to_be_computed_has_a_formula_or_a_model(tmp_path: Path, models: Path) -> None:
    settings = with_record(tmp_path)
    path = settings.data / "indicators/C-structure.yml"
    path.write_text(as_yaml({"indicators": [_without_formula(one) for one in read_yaml(path)["indicators"]]}))
    with pytest.raises(ContractError, match="C16 is computed, and neither has a formula nor a model c16_"):
        written(settings.data, models)


def _without_formula(record: dict) -> dict:
    return {k: v for k, v in record.items() if k != "formula" or record["code"] != "C16"}
