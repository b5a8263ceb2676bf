"""Estimates on the examples that R's survey 4.1 comes with: schools drawn by strata, in one stage and in two.

`api.csv` holds apistrat, apiclus1 and apiclus2 of its data set `api`. Compared is with what R prints, in 15 digits, of

    ds <- svydesign(id=~1, strata=~stype, weights=~pw, data=apistrat, fpc=~fpc)
    d1 <- svydesign(id=~dnum, weights=~pw, data=apiclus1, fpc=~fpc)
    d2 <- svydesign(id=~dnum+snum, weights=~pw, data=apiclus2, fpc=~fpc1+fpc2)
    svymean(~api00, d); svytotal(~I(sch.wide == "Yes"), d)
"""

from collections.abc import Callable

import duckdb
import pytest

from hims_pipeline.contracts.indicators import Formula
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.sql import literal
from hims_pipeline.staging.indicators import estimate_call
from tests.indicators.test_estimates import NO_REASON, tables
from tests.indicators.test_intervals import SAMPLE
from tests.jinja import compiler

SCHOOLS = REPOSITORY / "tests/indicators/api.csv"
R_CHANGE = {"_T": (36.57324069661104, 4.35828910707417), "E": (42.14561403508776, 6.19745698337721)}
R_CHANGE_LISTED = {"_T": (36.573240696611037, 4.356793894471645), "E": (42.14561403508776, 6.194394071753531)}
MEASURES = ("obs_value", "standard_error", "ci_lower", "ci_upper", "degrees_of_freedom")


@pytest.fixture(scope="module")
def render() -> Callable[[str], str]:
    compiled = compiler(breakdown_columns=["stype"])
    return lambda call: compiled("{{ " + call + " }}")


def schools(sample: str, scale: float = 1) -> duckdb.DuckDBPyConnection:
    """The schools of one sample as the records of a fact, with their weights times `scale`."""
    con = tables(SAMPLE[:1], [])
    con.execute(f"""create or replace table fct as select 'b' as batch_id, 'e' as entity, stratum, psu, ssu,
        cast(cast(weight as double) * {scale} as decimal(38,18)) as weight_persons, population_units, population_ssus,
        'A1' as area_code, 'XNL' as ref_country, '_T' as sex, stype, api00, api99, "sch.wide" = 'Yes' as met
        from read_csv({literal(SCHOOLS)}, types = {{'weight': 'varchar', 'psu': 'varchar', 'ssu': 'varchar',
            'population_units': 'bigint', 'population_ssus': 'bigint'}}) where sample = {literal(sample)}""")
    return con


def figures(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, tuple]:
    """Type of school -> `MEASURES`."""
    rows = con.execute(
        f"select coalesce(stype, '_T'), {', '.join(MEASURES)} from ({NO_REASON.replace('reason', 'stype')} ({sql}))"
    ).fetchall()
    return {stype: tuple(row) for stype, *row in rows}


@pytest.mark.parametrize(
    ("p", "wanted"),
    [
        (0.1, (501, 11.4092790474477, 476, 521)),
        (0.25, (565, 15.7194511320391, 535, 597)),
        (0.5, (668, 13.1840557881618, 642, 694)),
        (0.75, (756, 13.1840557881618, 726, 778)),
        (0.9, (836, 14.9588325288759, 806, 865)),
    ],
)
def test_quantiles_of_apistrat_are_those_of_svyquantile(render, p: float, wanted: tuple[float, ...]) -> None:
    """`svyquantile(~api00, ds, p)`, whose rule is "math" and whose interval is "mean"."""
    con = schools("apistrat")
    sql = render(f"quantiles('X01', 'fct', [[]], 'api00', {p})")
    assert figures(con, sql)["_T"] == pytest.approx((*wanted, 197), rel=1e-9)


def test_quantiles_of_a_domain_are_those_of_svyquantile_with_its_degrees_of_freedom(render) -> None:
    """`svyquantile(~api00, subset(ds, stype == "E"), .5, df=99)`, all of it in one stratum of 100."""
    con = schools("apistrat")
    of_domain = figures(con, render("quantiles('X01', 'fct', [[]], 'api00', 0.25, domain=\"stype = 'E'\")"))["_T"]
    by_type = figures(
        con, render("quantiles('X01', 'fct', [[], ['stype']], 'api00', 0.25, dimensions={'stype': 'stype'})")
    )
    assert set(by_type) == {"_T", "E", "H", "M"}
    assert by_type["E"] == of_domain
    assert of_domain[4] == 99
    assert of_domain[:1] + of_domain[2:4] == (578, 534, 609)
    assert by_type["_T"][0] == 565


def test_a_quantile_whose_bound_no_record_can_show_says_so(render) -> None:
    con = schools("apistrat")
    con.execute("delete from fct where stype != 'H' or api00 not in (select api00 from fct order by api00 limit 40)")
    sql = render("quantiles('X01', 'fct', [[]], 'api00', 0.97)")
    [[kind, lower, degrees]] = con.execute(
        f"select interval_kind, ci_lower, degrees_of_freedom from ({sql})"
    ).fetchall()
    assert (kind, lower, degrees) == ("BEYOND_SAMPLE", None, None)


@pytest.mark.parametrize("scale", [1, 1 / 6194, 30_000_000 / 6194])  # weights of apistrat add up to 6,194 schools
@pytest.mark.parametrize(
    ("sample", "mean", "counted"),
    [
        ("apistrat", (662.28736315932076, 9.40894080278458), (5128.309947967529, 150.791566998838)),
        ("apiclus1", (644.169398907104, 23.542240693781), (5415.51940917969, 1296.59925649682)),
        ("apiclus2", (670.8118081180811, 30.0990273768366), (3853.13, 1148.37906666142)),
    ],
)
def test_corrections_are_those_of_svydesign(render, sample: str, mean, counted, scale: float) -> None:
    con = schools(sample, scale)
    of_value = figures(con, render("estimates('X01', 'fct', [[]], 'mean', value='api00')"))["_T"]
    assert of_value[:2] == pytest.approx(mean, rel=1e-9)
    of_total = figures(con, render("estimates('X01', 'fct', [[]], measure='met')"))["_T"]
    assert of_total[:2] == pytest.approx([one * scale for one in counted], rel=1e-9)


def test_two_stages_are_in_quantiles_and_differences_too(render) -> None:
    """`svyquantile(~api00, d2, .25)`; `svycontrast(svyby(~api00, ~stype, d2, svymean, covmat=TRUE), c(E=1, H=-1))`."""
    con = schools("apiclus2")
    quartile = figures(con, render("quantiles('X01', 'fct', [[]], 'api00', 0.25)"))["_T"]
    assert quartile == pytest.approx((545, 34.1129726328855, 489, 627, 39), rel=1e-9)
    levels = "domain=\"stype = 'E'\", against=\"stype = 'H'\""
    difference = figures(con, render(f"differences('X01', 'fct', [[]], value='api00', {levels})"))["_T"]
    assert difference[:2] == pytest.approx((94.4697415260797, 28.2140582332441), rel=1e-9)


def test_a_second_stage_without_its_numbers_adds_nothing_and_one_of_a_single_unit_is_lonely(render) -> None:
    sql = render("estimates('X01', 'fct', [[]], 'mean', value='api00')")
    con = schools("apiclus2")
    con.execute("update fct set population_units = null")
    drawn_with_replacement = figures(con, sql)["_T"]
    con.execute("update fct set population_ssus = null")
    assert figures(con, sql)["_T"] == drawn_with_replacement
    con = schools("apiclus2")
    con.execute(
        "update fct set population_ssus = 9 where psu = (select psu from fct group by psu having count(*) = 1 limit 1)"
    )
    assert con.execute(f"select standard_error, interval_kind from ({sql})").fetchall() == [(None, "LONELY_UNIT")]
    con.execute("update dim_batch set lonely_units = 'remove'")
    assert figures(con, sql)["_T"][1] == pytest.approx(30.099, abs=0.01)  # the unit's own second stage adds nothing


def test_a_change_between_waves_has_the_covariance_of_the_units_that_stay(render) -> None:
    """Schools in 1999 and 2000, the last of them drawn in one wave only. R, with both waves as rows of one table `w`:

    d <- svydesign(id=~psu, strata=~stratum, weights=~weight, data=w, fpc=~population_units)
    svycontrast(svyby(~score, ~wave, d, svymean, covmat=TRUE), c(`2000`=1, `1999`=-1)), of subset(d, stype == "E") too
    """
    con = schools("apistrat")
    former = "replace ('a' as batch_id, '1999' as time_period, date '1999-12-31' as period_end_date)"
    con.execute(f"create or replace table dim_batch as from dim_batch union all select * {former} from dim_batch")
    con.execute("""create or replace table fct_schools as select *, api00 as score from fct where psu::int <= 190
        union all select * replace ('a' as batch_id), api99 from fct where psu::int > 10""")
    formula = Formula.model_validate({
        "fact": "schools", "kind": "change", "value": "score", "cells": [[], ["stype"]],
        "dimensions": {"stype": "stype"},
    })  # fmt: skip
    assert formula.problems({"stype"}) == []
    call = estimate_call("X01", formula).strip().removeprefix("{{").removesuffix("}}")
    found = figures(con, render(call))
    assert found["_T"][:2] == pytest.approx(R_CHANGE["_T"], rel=1e-9)
    assert found["E"][:2] == pytest.approx(R_CHANGE["E"], rel=1e-9)
    assert con.execute(f"select distinct time_period from ({render(call)})").fetchall() == [("2021",)]
    # Three schools more in stratum E, drawn in the former wave: rows of `w` outside of subset(d, answered).
    con.execute("insert into fct_sampling_units select 'a', 'E', unnest(['901', '902', '903'])")
    listed = figures(con, render(call))
    assert listed["_T"][:2] == pytest.approx(R_CHANGE_LISTED["_T"], rel=1e-9)
    assert listed["E"][:2] == pytest.approx(R_CHANGE_LISTED["E"], rel=1e-9)
