"""The sample in OECD's layout: accepted as sent, women and men add up, and every rule of it can fail."""

from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.gates.judge import judge
from hims_pipeline.gates.suites import judgement_rules
from hims_pipeline.lake import landing
from hims_pipeline.readers import read_delivery
from hims_pipeline.settings import REPOSITORY
from hims_pipeline.sql import connection, literal
from hims_synthetic import oecd, open_country
from tests.synthetic.conftest import settings_at

SPOILT = (
    "update t set REF_AREA = CITIZENSHIP, BIRTH_PLACE = 'FRA', TIME_PERIOD = 1995 where MEASURE = 'B15'",
    "update t set OBS_VALUE = OBS_VALUE + 1 where SEX = 'F'",
)
YEARS_EXCHANGED = ("update t set TIME_PERIOD = 4044 - TIME_PERIOD where TIME_PERIOD in (2021, 2023)",)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory):
    settings = settings_at(tmp_path_factory.mktemp("oecd"))
    with open_country(settings, 42, 0.004) as country:
        (sample,) = oecd.write(country, settings.home / "made")
    contract = intake.contract_of(settings, sample.source)
    delivery, _ = landing.take_over(settings, contract, sample.period, sample.files)
    folder = settings.bronze / delivery.source / delivery.period / delivery.id
    folder.mkdir(parents=True)
    result = read_delivery(settings, contract, delivery, folder, lambda text: None)
    assert result.findings == ()
    return settings, contract, sample.period, folder / "cells.parquet"


def test_the_sample_is_accepted_without_a_finding(batch) -> None:
    settings, contract, period, table = batch
    outcome = judge(settings, contract, period, {"cells": table})
    assert outcome.accepted
    assert outcome.findings == ()


def test_every_rule_can_fail(batch, tmp_path: Path) -> None:
    settings, contract, period, table = batch
    spoilt, failed = tmp_path / "cells.parquet", set()
    for statements in (SPOILT, YEARS_EXCHANGED, ("update t set TIME_PERIOD = TIME_PERIOD - 10",)):
        with connection(settings) as con:
            con.execute(f"create or replace table t as from read_parquet({literal(str(table))})")
            for statement in statements:
                con.execute(statement)
            con.execute(f"copy t to {literal(str(spoilt))} (format parquet)")
        outcome = judge(settings, contract, period, {"cells": spoilt})
        failed |= {one["code"] for one in outcome.rules if not one["success"]}
    rules = {one.code for one in judgement_rules(REPOSITORY / "expectations", contract, period)}
    assert len(rules) == 6
    assert rules <= failed
