"""`hims why`: from a figure back to what it rests on, from one that is missing to a reason of the closed list."""

import json
import random
import re
from typing import get_args

import duckdb
import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from hims_pipeline.contracts.indicators import Formula
from hims_pipeline.release import store
from hims_pipeline.release.reader import connect
from hims_pipeline.staging.indicators import estimate_call
from hims_pipeline.staging.macros import compiler
from hims_pipeline.tracing.absence import Reason, days_of
from hims_pipeline.tracing.figures import find_figures, preference_of
from hims_pipeline.tracing.formulas import WORDS, Making, describe_formula
from hims_pipeline.tracing.questions import ask_question, fetch_rows, find_near
from hims_pipeline.tracing.recipes import write_r
from hims_pipeline.tracing.trace import trace_figure
from tests.reproduced import run_r


@pytest.fixture
def ask(brief_night, monkeypatch: pytest.MonkeyPatch):
    """Ask as on the command line; gives what was printed, errors too."""
    for name, value in brief_night[0].environment.items():
        if name.startswith("HIMS_"):
            monkeypatch.setenv(name, value)

    def asked(*words: str, fails: bool = False) -> str:
        result = CliRunner().invoke(main, ["why", *words])
        assert (result.exit_code != 0) == fails, result.output
        return result.output

    return asked


def ask_json(ask, *words: str) -> dict:
    return json.loads(ask(*words, "--json"))


def test_a_figure_leads_to_its_batch_formula_controls_and_lines(ask) -> None:
    answer = ask_json(ask, "A01", "--area", "TUN", "--period", "2014", "--cell", "sex=F")
    assert answer["figure"]["obs_value"] > 0
    assert answer["figure"]["is_preferred"]
    assert answer["making"]["kind"] == "total"
    assert "is_foreign_citizen" in answer["making"]["numerator"]
    assert [(one["batch"].rsplit("/", 1)[0], one["verdict"]) for one in answer["batches"]] == [
        ("rgph/2014", "accepted")
    ]
    assert answer["batches"][0]["rules_evaluated"] > 50
    assert any("SYNTHETIC" in doubt for doubt in answer["doubts"])
    printed = ask("A01", "--area", "tun", "--period", "2014", "--cell", "sex=F")
    assert f"{answer['figure']['obs_value']:,.0f} PERSONS" in printed


def test_its_sql_gives_the_figure_and_its_r_reads_records_of_the_staff(ask, brief_night) -> None:
    answer = ask_json(ask, "P01", "--area", "TUN", "--period", "2014")
    release = brief_night[0].home / "releases/r000001"
    with duckdb.connect(str(release / "public/warehouse.duckdb"), read_only=True) as con:
        assert con.execute(answer["sql"]).fetchone()[0] == answer["figure"]["obs_value"]
    query = re.search(r'dbGetQuery\(con, "(.*?)"\)', answer["r"], re.DOTALL)[1]
    with duckdb.connect(str(release / "staff/warehouse.duckdb"), read_only=True) as con:
        assert con.execute(f"select sum(w * y) from ({query})").fetchone()[0] == answer["figure"]["obs_value"]


def test_a_withheld_figure_tells_nothing_of_itself_but_to_the_staff(ask, brief_night) -> None:
    con = connect(settings=brief_night[0].settings)
    area, period, sex = con.execute(
        "select ref_area, time_period, sex from indicator_value where indicator = 'A01' and cell = 'sex'"
        " and conf_status = 'C' order by all limit 1"
    ).fetchone()
    con.close()
    words = ("A01", "--area", area, "--period", period, "--cell", f"sex={sex}")
    public, staff = ask_json(ask, *words), ask_json(ask, *words, "--staff")
    assert {public["figure"][name] for name in ("obs_value", "n_obs", "numerator", "ci_lower")} == {None}
    assert public["withheld"] == {}
    assert staff["withheld"]["rule"]
    assert staff["withheld"]["obs_value"] is not None
    printed = ask(*words)
    assert "withheld" in printed
    assert staff["withheld"]["rule"] not in printed


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("B01", "TUN", "2024", ""), "PLANNED"),
        (("B14", "TUN", "2024-02", "sex=F"), "NOT_A_CELL"),
        (("B14", "TUN", "2024-04", "direction=ENTRY"), "LEFT_OUT"),
        (("P01", "TUN", "2019", ""), "OTHER_PERIODS"),
        (("P01", "FRA", "2014", ""), "OTHER_AREAS"),
        (("A05", "TUN", "2021", ""), "NO_SOURCE"),
        (("B14", "TUN", "2025-01", "direction=ENTRY"), "LATE"),
    ],
)
def test_what_is_missing_has_a_reason_of_the_closed_list(ask, words: tuple[str, ...], reason: str) -> None:
    indicator, area, period, cell = words
    answer = ask_json(ask, indicator, "--area", area, "--period", period, "--cell", cell)
    assert answer["figure"] is None
    assert answer["absence"][0]["reason"] == reason
    assert {one["reason"] for one in answer["absence"]} <= set(Reason.__members__)
    assert answer["absence"][0]["evidence"]


def test_a_refused_delivery_is_named_with_its_reason(ask) -> None:
    printed = ask("B14", "--area", "TUN", "--period", "2024-04", "--cell", "direction=ENTRY")
    assert "border_crossings/2024-04/" in printed
    assert "refused" in printed


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("A99", "TUN", "2024", ""), "A09"),
        (("population", "TUN", "2024", ""), "P01"),
        (("P01", "Tunisie", "2024", ""), "TUN Tunisia"),
        (("P01", "TN-1", "2024", ""), "TN-11"),
        (("P01", "TUN", "24", ""), "2024-Q1"),
        (("P01", "TUN", "2024", "gender=F"), "sex"),
        (("P01", "TUN", "2024", "age=Y15T25"), "Y15T29"),
        (("P01", "TUN", "2024", "sex"), "sex=F"),
    ],
)
def test_what_is_not_known_is_answered_by_what_is_near(ask, words: tuple[str, ...], near: str) -> None:
    indicator, area, period, cell = words
    assert near in ask(indicator, "--area", area, "--period", period, "--cell", cell, fails=True)


def test_near_is_a_slip_of_the_pen_and_not_anything() -> None:
    names = {"A07": "Native-born living abroad", "B14": "Border entries and exits"}
    assert find_near("a08", names)[0] == "A07"
    assert find_near("abroad", names) == ["A07"]
    assert find_near("zzz", names) == []


def test_days_of_periods() -> None:
    assert days_of("2024") == ("2024-01-01", "2024-12-31")
    assert days_of("2024-Q2") == ("2024-04-01", "2024-06-31")
    assert days_of("2024-02") == ("2024-02-01", "2024-02-31")
    assert days_of("2014-12-31") == ("2014-12-31", "2014-12-31")


def test_the_preferred_figure_is_that_of_v_headline(whole_night) -> None:
    """The order that is explained is the order of the view."""
    con = connect(settings=whole_night[0].settings)
    rows = con.execute(
        "select indicator, ref_area, time_period from v_headline where len(others) > 0 and cell = ''"
        " and indicator in ('A07', 'A18')"  # the others take the view half a minute more
        " group by all order by all limit 12"
    ).fetchall()
    assert rows
    for row in rows:
        question = ask_question(con, *row)
        figures = [one for one in find_figures(con, question) if one["obs_value"] is not None]
        for one in (figure for figure in figures if figure["is_preferred"]):
            same = [other for other in figures if other["universe"] == one["universe"]]
            assert min(same, key=lambda other: preference_of(other, question.indicator)) is one
    con.close()


@pytest.mark.r
def test_r_gives_figures_and_errors_again(whole_night, tmp_path) -> None:
    settings = whole_night[0].settings
    release = store.current_release(settings)
    con = connect(settings=settings)
    rows = con.execute(
        "select any_value(struct_pack(indicator, ref_area, time_period, sex, source, vintage, universe, obs_value,"
        " standard_error) order by series_key, time_period) from indicator_value where standard_error > 0"
        " and cell in ('', 'sex') and (source, indicator) in (select source, indicator from indicator_series)"
        " group by indicator, source, universe, level = 'country', cell order by 1"
    ).fetchall()
    con.close()
    figures = random.Random(7).sample([row for (row,) in rows], 12)  # noqa: S311 - which ones, not a secret
    traces = {}
    for number, one in enumerate(figures):
        cell = "" if one["sex"] == "_T" else f"sex={one['sex']}"
        question = {"indicator": one["indicator"], "area": one["ref_area"], "period": one["time_period"], "cell": cell}
        question |= {name: one[name] for name in ("source", "vintage", "universe")}
        trace = trace_figure(settings, release, question)
        if "svydesign" in trace.r:
            traces[f"{one['indicator']}.{number}"] = (one, trace.r)
    assert len(traces) > 6
    answers = run_r({name: recipe for name, (_, recipe) in traces.items()}, tmp_path)
    for name, (one, _) in traces.items():
        assert answers[name] == pytest.approx([one["obs_value"], one["standard_error"]], rel=2e-6), name


@pytest.mark.r
def test_r_gives_medians_and_figures_with_answers_of_donors_again(whole_night, tmp_path) -> None:
    settings = whole_night[0].settings
    release = store.current_release(settings)
    con = connect(settings=settings)
    rows = con.execute(
        "select indicator, ref_area, time_period, concat_ws(' ', 'sex=' || nullif(sex, '_T'), 'education_lev='"
        " || nullif(education_lev, '_T')), source, vintage, universe, obs_value, standard_error from indicator_value"
        " where standard_error > 0 and cell in ('', 'sex', 'education_lev', 'education_lev sex')"
        " and (indicator in ('C16', 'C17') or is_imputed) order by all"
    ).fetchall()
    con.close()
    names = ("indicator", "area", "period", "cell", "source", "vintage", "universe")
    recipes = {
        f"{number}": trace_figure(settings, release, dict(zip(names, row, strict=False))).r
        for number, row in enumerate(rows)
    }
    assert {row[4] for row in rows} >= {"hims_survey", "lfs_migration"}
    assert all("survey" in recipe for recipe in recipes.values())
    for number, answer in run_r(recipes, tmp_path).items():
        assert answer == pytest.approx(rows[int(number)][-2:], rel=2e-6), rows[int(number)]


@pytest.mark.r
@pytest.mark.parametrize("form", [{"measure": "sex = 'F'"}, {"value": "age_years"}])
def test_r_gives_changes_since_the_wave_before_again(whole_night, tmp_path, form) -> None:
    settings = whole_night[0].settings
    release = store.current_release(settings)
    domain = "migrant_group = 'CURRENT_MIGRANT'"
    formula = Formula.model_validate({"fact": "migrants", "kind": "change", "domain": domain, "cells": [[]]} | form)
    own = {"breakdown_columns": [], "languages": "en", "imputable_columns": {}}
    compiled = compiler(settings.dbt_project, own, ref=lambda name: f"conformed.{name}")
    with connect(settings=settings, staff=True) as con:
        made = f"select * from ({compiled(estimate_call('X00', formula))}) where source = 'lfs_migration'"
        figures = [one | {"level": "country"} for one in fetch_rows(con, made)]
        sources = fetch_rows(con, "select * from reference.sources where source = 'lfs_migration'")
        question = ask_question(con, "B02", "TUN", "2023")
    files = {part: release.folder / part / "warehouse.duckdb" for part in ("public", "staff")}
    recipes = {
        one["time_period"]: write_r(settings, question, one, Making("change", "", formula=formula), sources, files)
        for one in figures
    }
    assert len(recipes) == 2, "of three waves"
    answers = run_r(recipes, tmp_path)
    for one in figures:
        assert answers[one["time_period"]] == pytest.approx([one["obs_value"], one["standard_error"]], rel=2e-6)


def test_every_kind_of_formula_is_said_in_words() -> None:
    kinds = get_args(Formula.model_fields["kind"].annotation)
    assert set(WORDS) == set(kinds)
    for kind in kinds:
        more = {"value": "age_years"} if kind in ("mean", "quantile", "change") else {"measure": "sex = 'F'"}
        more |= {"against": "sex = 'M'"} if kind == "difference" else {}
        formula = Formula.model_validate({"fact": "persons", "kind": kind, "cells": [["sex"]]} | more)
        assert describe_formula(formula, {"sex": "F"}).numerator
