"""Each rule on the figures of a release is broken by a figure of its own, and a good figure breaks none."""

from pathlib import Path

import duckdb
import pytest

from hims_pipeline.gates import judge_database
from hims_pipeline.gates.suites import as_rule, load_suite
from hims_pipeline.settings import REPOSITORY, Settings
from tests.mutants.quick import _breaks

SUITE = REPOSITORY / "expectations/release.json"
GOOD = """
    create schema if not exists published;
    create or replace table published.indicator_value as
    select 'K1' as series_key, 'A04' as indicator, 'A' as freq, '2024' as time_period,
        date '2024-01-01' as period_start_date, date '2024-12-31' as period_end_date, 'TUN' as ref_area, 'F' as sex,
        'rgph' as source, 'synthetic' as data_kind, '_Z' as vintage, 'PERCENT' as unit_measure,
        12.5::double as obs_value, 1.0::double as numerator,
        8.0::double as denominator, 30 as n_obs, 0.1::double as standard_error, 12.0::double as ci_lower,
        13.0::double as ci_upper, 1.0::double as cv_percent, 14 as degrees_of_freedom,
        'LOGIT_T' as interval_kind, 'DESIGN' as variance_basis, 'A' as obs_status, 'F' as conf_status"""  # fmt: skip
SPOILT = {
    "RELEASE-001": "update t set vintage = null",
    "RELEASE-002": "insert into t from t",
    "RELEASE-003": "update t set obs_status = 'A;?'",
    "RELEASE-004": "update t set sex = 'W'",
    "RELEASE-005": "update t set obs_value = 112.5, ci_upper = 113",
    "RELEASE-006": "update t set conf_status = 'C'",
    "RELEASE-007": "update t set obs_value = null",
    "RELEASE-008": "update t set period_end_date = date '2023-12-31'",
    "RELEASE-009": "update t set freq = 'Q'",
    "RELEASE-010": "update t set data_kind = 'guessed'",
    "RELEASE-011": "update t set obs_value = 'nan', ci_upper = 'nan', unit_measure = 'PERSONS'",
    "RELEASE-012": "update t set ci_lower = null",
}


def test_each_rule_on_a_release_has_a_figure_that_breaks_it() -> None:
    rules = {one.meta.code: as_rule(one, "t") for one in load_suite(SUITE).expectations}
    assert rules.keys() == SPOILT.keys()
    for code, statement in SPOILT.items():
        with duckdb.connect() as con:
            con.execute(GOOD)
            con.execute("create table t as from published.indicator_value")
            assert not any(_breaks(con, rule) for rule in rules.values())
            con.execute(statement)
            assert {name for name, rule in rules.items() if _breaks(con, rule)} == {code}


@pytest.mark.parametrize("spoilt", [False, True])
def test_the_gate_says_the_same_of_a_release(tmp_path: Path, spoilt: bool) -> None:
    settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home")
    with duckdb.connect(str(tmp_path / "release.duckdb")) as con:
        con.execute(GOOD)
        for statement in SPOILT.values() if spoilt else ():
            con.execute(f"create or replace table t as {GOOD.split(' as', 1)[1]}")
            con.execute(statement)
            con.execute("insert into published.indicator_value from t")
    outcome = judge_database(settings, tmp_path / "release.duckdb", SUITE)
    assert outcome.accepted != spoilt
    assert {one["code"] for one in outcome.rules if not one["success"]} == (set(SPOILT) if spoilt else set())
