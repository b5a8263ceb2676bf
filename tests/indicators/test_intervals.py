"""Intervals of estimates: R's survey 4.1 on one small sample, scipy's quantiles, and a reason wherever there is none.

The figures of `R` are what these lines print:

    s <- data.frame(h, u, w, m, area, v)   # the rows of SAMPLE
    d <- svydesign(id=~u, strata=~h, weights=~w, data=s)
    degf(d)                                                    # 5
    p <- svyciprop(~m, d, method="logit"); c(p, SE(p), attr(p, "ci"))
    for (x in list(d, subset(d, area=="A1"), subset(d, m==1))) {
        a <- svymean(~v, x, deff="replace"); c(a, SE(a), deff(a)) }
    confint(svymean(~v, d), df=degf(d))
    deff(svymean(~m, d, deff="replace")); deff(svytotal(~m, d, deff="replace"))
    t <- svytotal(~m, d); c(coef(t), SE(t)); exp(confint(svycontrast(t, quote(log(m))), df=degf(d)))
"""

from collections.abc import Callable
from dataclasses import replace

import duckdb
import pytest
from scipy.stats import beta, t

from hims_pipeline.contracts.indicators import Formula, load_indicators
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.staging.indicators import formula_sql
from tests.indicators.test_estimates import NO_REASON, Person, tables
from tests.jinja import compiler

SAMPLE = [
    Person("b", "e", h, f"u{u}", area, "M", "EMP" if m else "FAM", w, None, v)
    for h, u, w, m, area, v in zip(
        "aaaaaabbbbbcccc",
        [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 8],
        [10, 10, 12, 12, 8, 8, 20, 20, 15, 15, 15, 9, 9, 30, 7],
        [1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0],
        ["A1", "A1", "A1", "A1", "A2", "A2", "A1", "A1", "A2", "A2", "A2", "A2", "A2", "A2", "A2"],
        [31, 25, 40, 18, 22, 67, 35, 29, 51, 44, 38, 19, 27, 33, 60],
        strict=True,
    )
]
R = {
    "share": (54.0, 12.4337444079, 24.4831512662, 80.9544923005),
    "total": (108.0, 34.2344855372, 47.8127735076, 243.951545671),
}
# The strata d and e have one unit each, and N units of the strata in the population: 12, 5, 3, 4, 1. Standard errors of
# svymean and svytotal of m, of the whole and of subset(d, area == "A1"), by options(survey.lonely.psu=…), without and
# with svydesign(…, fpc=~N).
WITH_LONELY = [
    *SAMPLE,
    Person("b", "e", "d", "u9", "A1", "M", "EMP", 11),
    Person("b", "e", "d", "u9", "A1", "M", "FAM", 6),
    Person("b", "e", "e", "u10", "A2", "M", "EMP", 4),
]
POPULATION_UNITS = {"a": 12, "b": 5, "c": 3, "d": 4, "e": 1}
R_LONELY = {
    ("remove", False): (11.1366069173, 34.2344855372, 11.6715185525, 28.9136645896),
    ("certainty", False): (11.1366069173, 34.2344855372, 11.6715185525, 28.9136645896),
    ("adjust", False): (11.1871709271, 36.1801050303, 11.6716667554, 30.9354165965),
    ("average", False): (14.377297708, 44.1965307839, 14.2946324885, 35.4118624193),
    ("remove", True): (7.21542000584, 18.4932420089, 9.86504699289, 23.8117617996),
    ("certainty", True): (7.21542000584, 18.4932420089, 9.86504699289, 23.8117617996),
    ("adjust", True): (7.24056215503, 20.8026440627, 9.86517849909, 25.6466372065),
    ("average", True): (8.06708480964, 20.6760731281, 12.0821657106, 29.1633331428),
}
EMPLOYED = "reason_code = 'EMP'"


@pytest.fixture(scope="module")
def render() -> Callable[[str], str]:
    compiled = compiler(breakdown_columns=["reason"])
    return lambda call: compiled("{{ " + call + " }}")


def figures(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, tuple]:
    """Area -> value, error, bounds, degrees of freedom, kind."""
    rows = con.execute(f"""select ref_area, obs_value, standard_error, ci_lower, ci_upper, degrees_of_freedom,
        interval_kind from ({NO_REASON} ({sql}))""").fetchall()
    return {area: tuple(row) for area, *row in rows}


def test_quantiles_are_those_of_scipy() -> None:
    sql = compiler()("select n, {{ t_quantile('n') }} from (select unnest(range(0, 5000)) as n)")
    rows = dict(duckdb.sql(sql).fetchall())
    assert rows.pop(0) is None
    assert max(abs(rows[n] / t.ppf(0.975, n) - 1) for n in rows) < 5e-10


@pytest.mark.parametrize("kind", ["share", "total"])
def test_intervals_are_those_of_r(render, kind: str) -> None:
    sql = render(f"estimates('X01', 'fct', [[]], '{kind}', \"{EMPLOYED}\")")
    *found, degrees, method = figures(tables(SAMPLE, []), sql)["XNL"]
    assert found == pytest.approx(R[kind], rel=1e-9)
    assert (degrees, method) == (5, {"share": "LOGIT_T", "total": "LOG_T"}[kind])


def test_degrees_of_freedom_are_of_the_strata_of_the_domain(render) -> None:
    """A1 lies in two of three strata, of which three and two units were drawn, and one more where nobody was found."""
    sql = render(f"estimates('X01', 'fct', [[], ['ref_area']], 'share', \"{EMPLOYED}\")")
    drawn = sorted({(one.stratum, one.psu) for one in SAMPLE})
    assert {area: row[4] for area, row in figures(tables(SAMPLE, drawn), sql).items()} == {"XNL": 5, "A1": 3, "A2": 5}
    listed = figures(tables(SAMPLE, [*drawn, ("a", "u9")]), sql)
    assert {area: row[4] for area, row in listed.items()} == {"XNL": 6, "A1": 4, "A2": 6}


def test_few_in_few_units_keep_their_bounds_within_what_can_be(render) -> None:
    persons = [replace(one, reason="EMP" if n == 0 else "FAM") for n, one in enumerate(SAMPLE)]
    for kind, most in (("share", 100.0), ("total", 1e9)):
        sql = render(f"estimates('X01', 'fct', [[]], '{kind}', \"{EMPLOYED}\")")
        value, error, lower, upper, *_ = figures(tables(persons, []), sql)["XNL"]
        assert value < 1.96 * error  # as it was drawn before, below zero
        assert 0 < lower < value < upper < most


@pytest.mark.parametrize(("reason", "value"), [("FAM", 0.0), ("EMP", 100.0)])
def test_a_share_of_nobody_or_all_has_the_bounds_of_as_many_trials_as_units(render, reason: str, value: float) -> None:
    persons = [replace(one, reason=reason) for one in SAMPLE]
    sql = render(f"estimates('X01', 'fct', [[], ['ref_area']], 'share', \"{EMPLOYED}\")")
    for area, units in (("XNL", 8), ("A1", 3), ("A2", 5)):
        found, _, lower, upper, degrees, kind = figures(tables(persons, []), sql)[area]
        wanted = (0, beta.ppf(0.975, 1, units)) if value == 0 else (beta.ppf(0.025, units, 1), 1)
        assert (found, degrees, kind) == (value, None, "CLOPPER_PEARSON")
        assert (lower, upper) == pytest.approx([100 * one for one in wanted], abs=1e-6)


def test_where_there_is_no_interval_stands_why(render) -> None:
    total = render(f"estimates('X01', 'fct', [['ref_area']], 'total', \"{EMPLOYED}\")")
    lonely = [one for one in SAMPLE if one.psu not in ("u4", "u5") or one.psu == "u4"]
    assert figures(tables(lonely, []), total)["A1"][1:] == (None, None, None, None, "LONELY_UNIT")
    assert figures(tables(lonely, []), total)["A2"][-1] == "LOG_T"  # it does not lie in that stratum
    nobody = [replace(one, reason="FAM") for one in SAMPLE]
    assert figures(tables(nobody, []), total)["A1"][2:] == (None, None, None, "NOBODY_COUNTED")
    census = figures(tables(SAMPLE, [], design="census"), total)
    assert {row[1:] for row in census.values()} == {(None, None, None, None, "NO_SAMPLE")}


def test_means_are_those_of_r(render) -> None:
    whole = render("estimates('X01', 'fct', [[], ['ref_area']], 'mean', value='years')")
    employed = render(f"estimates('X01', 'fct', [[]], 'mean', value='years', domain=\"{EMPLOYED}\")")
    con = tables(SAMPLE, [])
    value, error, lower, upper, degrees, kind = figures(con, whole)["XNL"]
    assert (value, error) == pytest.approx((35.335, 3.52252415091), rel=1e-9)
    assert (lower, upper) == pytest.approx((26.2800634021, 44.3899365979), rel=1e-9)
    assert (degrees, kind) == (5, "SYMMETRIC_T")
    assert figures(con, whole)["A1"][:2] == pytest.approx((30.1904761905, 0.97611080499), rel=1e-9)
    assert figures(con, employed)["XNL"][:2] == pytest.approx((32.6574074074, 1.80975168057), rel=1e-9)
    design_effects = {
        area: (effect, records)
        for area, effect, records in con.execute(
            f"select ref_area, design_effect, effective_records from ({NO_REASON} ({whole}))"
        ).fetchall()
    }
    assert design_effects["XNL"] == pytest.approx((1.25269339647, 15 / 1.25269339647), rel=1e-9)
    assert design_effects["A1"][0] == pytest.approx(0.108010232352, rel=1e-5)


def test_a_mean_is_of_those_who_have_a_value_and_may_be_negative(render) -> None:
    persons = [replace(one, years=-one.years) for one in SAMPLE] + [replace(SAMPLE[0], years=None, weight=1000)]
    sql = render("estimates('X01', 'fct', [[]], 'mean', value='years')")
    assert figures(tables(persons, []), sql)["XNL"][:2] == pytest.approx((-35.335, 3.52252415091), rel=1e-9)


@pytest.mark.parametrize(("kind", "wanted"), [("share", 0.87133), ("total", 1.65137)])
def test_design_effects_are_those_of_r(render, kind: str, wanted: float) -> None:
    sql = render(f"estimates('X01', 'fct', [[]], '{kind}', \"{EMPLOYED}\")")
    [[effect, records]] = tables(SAMPLE, []).execute(f"select design_effect, effective_records from ({sql})").fetchall()
    assert effect == pytest.approx(wanted, abs=6e-6)
    assert records == pytest.approx(15 / wanted, rel=1e-5)


@pytest.mark.parametrize(("option", "corrected"), R_LONELY)
def test_lonely_units_and_corrections_by_stratum_are_those_of_r(render, option: str, corrected: bool) -> None:
    persons = [replace(one, population_units=POPULATION_UNITS[one.stratum]) for one in WITH_LONELY]
    con = tables(persons if corrected else WITH_LONELY, [], lonely=option)
    found = [
        figures(con, render(f"estimates('X01', 'fct', [[], ['ref_area']], '{kind}', \"{EMPLOYED}\")"))[area]
        for area in ("XNL", "A1")
        for kind in ("share", "total")
    ]
    assert [error for _, error, *_ in found] == pytest.approx(R_LONELY[option, corrected], rel=1e-9)
    assert [degrees for *_, degrees, _ in found] == [5, 5, 3, 3]


def test_a_stratum_taken_as_a_whole_is_not_lonely_and_an_option_is_told(render) -> None:
    persons = [replace(one, population_units=POPULATION_UNITS[one.stratum]) for one in WITH_LONELY]
    sql = render(f"estimates('X01', 'fct', [['ref_area']], 'share', \"{EMPLOYED}\")")
    without = figures(tables(persons, []), sql)
    assert without["A1"][-1] == "LONELY_UNIT"  # the one unit of d, of four
    assert without["A2"][-1] == "LOGIT_T"  # the only unit that e has
    basis = f"select ref_area, variance_basis from ({NO_REASON} ({sql}))"
    assert dict(tables(persons, [], lonely="average").execute(basis).fetchall()) == {
        "A1": "DESIGN;LONELY_AVERAGE",
        "A2": "DESIGN",
    }


@pytest.mark.parametrize("scale", [1 / 200, 5, 150_000])  # weights of the sample add up to 200: to 1, 1,000, 30 million
def test_weights_of_any_scale_give_the_same_interval(render, scale: float) -> None:
    scaled = [replace(one, weight=one.weight * scale) for one in SAMPLE]
    for kind, factor in (("share", 1), ("total", scale)):
        sql = render(f"estimates('X01', 'fct', [[]], '{kind}', \"{EMPLOYED}\")")
        plain, other = (figures(tables(some, []), sql)["XNL"] for some in (SAMPLE, scaled))
        assert other[:4] == pytest.approx([one * factor for one in plain[:4]], rel=1e-9)
        assert other[4:] == plain[4:]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (f'measure="{EMPLOYED}"', (17.7339901478, 22.8576538869)),
        ("value='years'", (-8.86986863711, 4.47952814158)),
    ],
)
def test_differences_are_those_of_r(render, given: str, wanted: tuple[float, float]) -> None:
    """`svycontrast(svyby(~m, ~area, d, svymean, covmat=TRUE), c(A1=1, A2=-1))`, and of v: units hold both."""
    areas = "domain=\"area_code = 'A1'\", against=\"area_code = 'A2'\""
    sql = render(f"differences('X01', 'fct', [[]], {given}, {areas})")
    value, error, lower, upper, degrees, kind = figures(tables(SAMPLE, []), sql)["XNL"]
    assert (value, error) == pytest.approx(wanted, rel=1e-9)
    margin = t.ppf(0.975, 5) * error
    assert (lower, upper) == pytest.approx((value - margin, value + margin), rel=1e-9)
    assert (degrees, kind) == (5, "SYMMETRIC_T")


def test_nothing_is_different_from_itself_and_nobody_from_nobody(render) -> None:
    sql = render(f"differences('X01', 'fct', [[]], \"{EMPLOYED}\", \"area_code = 'A1'\", \"area_code = 'A1'\")")
    assert figures(tables(SAMPLE, []), sql)["XNL"][:4] == (0.0, 0.0, 0.0, 0.0)
    sql = render(f"differences('X01', 'fct', [[]], \"{EMPLOYED}\", \"area_code = 'A1'\", \"area_code = 'A9'\")")
    assert figures(tables(SAMPLE, []), sql) == {}


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("mean", {"value": "years"}, 35.335),
        ("quantile", {"value": "years"}, 33),
        ("quantile", {"value": "years", "quantile": 0.9}, 51),
        (
            "difference",
            {"measure": EMPLOYED, "domain": "area_code = 'A1'", "against": "area_code = 'A2'"},
            17.7339901478,
        ),
    ],
)
def test_a_record_may_ask_for_a_mean_or_a_difference(kind: str, given: dict[str, str], wanted: float) -> None:
    formula = Formula.model_validate({"fact": "of_sample", "kind": kind, "cells": [[]], **given})
    assert formula.problems(set()) == []
    con = tables(SAMPLE, [])
    con.execute("create view fct_of_sample as from fct")
    sql = compiler(breakdown_columns=["reason"])(formula_sql(load_indicators(REPOSITORY / "data")["C12"], formula))
    assert figures(con, sql)["XNL"][0] == pytest.approx(wanted)
