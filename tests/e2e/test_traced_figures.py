"""What `hims why` tells of figures of a whole night: which one is preferred, and R that gives it again."""

import random

import pytest

from hims_pipeline.contracts.indicators import Formula
from hims_pipeline.release import store
from hims_pipeline.release.reader import connect
from hims_pipeline.staging.indicators import estimate_call
from hims_pipeline.staging.macros import compiler
from hims_pipeline.tracing.figures import find_figures, preference_of
from hims_pipeline.tracing.formulas import Making
from hims_pipeline.tracing.questions import ask_question, fetch_rows
from hims_pipeline.tracing.recipes import write_r
from hims_pipeline.tracing.trace import trace_figure
from tests.reproduced import run_r


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
