"""The gate: each kind of rule breaks on its own table and on no other, and nothing passes that was not judged."""

import importlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import duckdb
import pytest
import yaml

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import ContractError
from hims_pipeline.gates import GateError, canary, gate_inputs, judge
from hims_pipeline.gates.suites import load_suite
from hims_pipeline.settings import REPOSITORY, Settings

CONTRACT = """
source: demo
title: {en: Demo}
description: For tests.
data_kind: synthetic
owner: {institution: none, contact: none}
licence: {name: none, attribution: none, redistributable: true}
purpose: tests
legal: {basis: none, retention_years: 1}
cadence: annual
period: {pattern: year}
clock: none
universe: resident_population
duration_rule: NONE
measure_type: stock
entities:
  people:
    title: {en: People}
    grain: a person
    files: ["people*"]
    key: [house, line]
    minimum_rows: 3
    references:
      - {columns: [house], entity: houses}
      - {columns: [line], entity: lines, orphan_share: [0.0, 0.5]}
    columns:
      - {name: house, type: integer, required: true}
      - {name: line, type: integer, required: true}
      - {name: sex, type: text, codes: {M: men, F: women}, required: true}
      - {name: age, type: integer, minimum: 0, maximum: 110, missing: {-99: _U}}
      - {name: card, type: text, pattern: "[A-Z]{2}[0-9]{3}", unique: true}
      - {name: country, type: text, crosswalk: ISO3}
  houses:
    title: {en: Houses}
    grain: a house
    files: ["houses*"]
    key: [house]
    columns: [{name: house, type: integer, required: true}]
  lines:
    title: {en: Lines}
    grain: a line
    files: ["lines*"]
    key: [line]
    columns: [{name: line, type: integer, required: true}]
"""
GOOD = "(1,1,'M',40,'AB123','TUN'),(1,2,'F',-99,'AB124','FRA'),(2,1,'M',0,'AB125',null),(2,2,'F',110,'AB126','TUN')"
ODD = "ZZODDVALUEZZ"
BROKEN = {
    "DEMO-PEOPLE-ROWS": "(1,1,'M',40,'AB123','TUN'),(1,2,'F',-99,'AB124','FRA')",
    "DEMO-PEOPLE-SEX-REQUIRED": GOOD.replace("'F',110", "null,110"),
    "DEMO-PEOPLE-SEX-CODES": GOOD.replace("'F',110", f"'{ODD}',110"),
    "DEMO-PEOPLE-AGE-RANGE": GOOD.replace("110", "111"),
    "DEMO-PEOPLE-CARD-PATTERN": GOOD.replace("AB126", ODD),
    "DEMO-PEOPLE-CARD-UNIQUE": GOOD.replace("AB126", "AB125"),
    "DEMO-PEOPLE-COUNTRY-XWALK": GOOD.replace("'AB126','TUN'", f"'AB126','{ODD}'"),
    "DEMO-PEOPLE-KEY": GOOD.replace("(2,2,", "(2,1,"),
    "DEMO-PEOPLE-ORPHANS-HOUSES": GOOD.replace("(2,2,", "(3,2,"),
    "DEMO-PEOPLE-ORPHANS-LINES": GOOD.replace("(1,1,", "(1,7,").replace("(2,1,", "(2,8,").replace("(2,2,", "(2,9,"),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", tmp_path / "expectations", tmp_path / "home", env="test")


def contract() -> Contract:
    return Contract.model_validate(yaml.safe_load(CONTRACT))


def parquet(folder: Path, people: str) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "people": f"from (values {people}) t (house, line, sex, age, card, country)",
        "houses": "from (values (1), (2)) t (house)",
        "lines": "from (values (1), (2)) t (line)",
    }
    for name, rows in tables.items():
        duckdb.connect().execute(
            f"copy (select *, 1 + row_number() over () as _line {rows}) to '{folder / name}.parquet' (format parquet)"
        )
    return {name: folder / f"{name}.parquet" for name in tables}


def test_a_good_batch_passes_with_every_rule_evaluated(settings, tmp_path) -> None:
    outcome = judge(settings, contract(), "2024", parquet(tmp_path / "good", GOOD))
    assert outcome.accepted
    assert outcome.declared == outcome.evaluated == len(outcome.rules) > 15
    assert outcome.canary == "passed"


@pytest.mark.parametrize("code", BROKEN)
def test_each_rule_breaks_on_its_own_table_only(settings, tmp_path, code: str) -> None:
    outcome = judge(settings, contract(), "2024", parquet(tmp_path / "bad", BROKEN[code]))
    assert not outcome.accepted
    assert [finding.rule for finding in outcome.findings] == [code]
    assert ODD not in json.dumps(asdict(outcome), default=str)


def test_a_finding_names_the_lines(settings, tmp_path) -> None:
    outcome = judge(settings, contract(), "2024", parquet(tmp_path / "bad", BROKEN["DEMO-PEOPLE-KEY"]))
    assert outcome.findings[0].lines == (4, 5)


def test_a_column_without_one_value_is_refused(settings, tmp_path) -> None:
    rows = GOOD.replace("'M'", "null::varchar").replace("'F'", "null")
    outcome = judge(settings, contract(), "2024", parquet(tmp_path / "bad", rows))
    assert {f.rule for f in outcome.findings} == {"DEMO-PEOPLE-SEX-REQUIRED", "DEMO-PEOPLE-SEX-CODES"}


def test_no_row_is_refused_once(settings, tmp_path) -> None:
    tables = parquet(tmp_path / "bad", GOOD)
    duckdb.connect().execute(
        f"copy (from '{tables['people']}' where false) to '{tmp_path}/none.parquet' (format parquet)"
    )
    outcome = judge(settings, contract(), "2024", tables | {"people": tmp_path / "none.parquet"})
    assert [f.rule for f in outcome.findings] == ["DEMO-PEOPLE-ROWS"]


def suite(settings: Settings, **changes) -> Path:
    rule = {
        "type": "expect_column_mean_to_be_between",
        "kwargs": {"column": "age", "min_value": 500},
        "severity": "warning",
        "meta": {"code": "DEMO-PERSON-001", "message": {"en": "Ages are too low."}},
    } | changes
    settings.expectations.mkdir(exist_ok=True)
    path = settings.expectations / "demo__people.json"
    path.write_text(json.dumps({"name": "demo__people", "expectations": [rule]}))
    return path


def test_a_warning_is_told_and_refuses_nothing(settings, tmp_path) -> None:
    suite(settings)
    outcome = judge(settings, contract(), "2024", parquet(tmp_path / "good", GOOD))
    assert outcome.accepted
    assert [(f.rule, f.severity) for f in outcome.findings] == [("DEMO-PERSON-001", "warning")]


def test_a_rule_on_a_missing_column_is_our_failure_and_no_acceptance(settings, tmp_path) -> None:
    suite(settings, kwargs={"column": "no_such_column", "min_value": 0})
    with pytest.raises(GateError, match="DEMO-PERSON-001"):
        judge(settings, contract(), "2024", parquet(tmp_path / "good", GOOD))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "expect_nothing"}, "expect_nothing is none of"),
        ({"kwargs": {"column": "age", "mostly": 0}}, "can never fail"),
        ({"meta": {"code": "X"}}, "message"),
    ],
)
def test_a_suite_that_cannot_judge_is_an_error(settings, changes, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        load_suite(suite(settings, **changes))


def test_an_empty_suite_is_an_error(settings) -> None:
    path = suite(settings)
    path.write_text('{"name": "demo__people", "expectations": []}')
    with pytest.raises(ContractError, match="empty suite"):
        load_suite(path)


def test_a_driver_that_passes_everything_is_caught_by_the_canary(settings, tmp_path, monkeypatch) -> None:
    real = canary.evaluate
    monkeypatch.setattr(canary, "evaluate", lambda *args: [replace(one, success=True) for one in real(*args)])
    canary.show.cache_clear()
    with pytest.raises(GateError, match="does not trust itself"):
        judge(settings, contract(), "2024", parquet(tmp_path / "good", GOOD))
    canary.show.cache_clear()


def test_a_driver_that_returns_nothing_accepts_nothing(settings, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(importlib.import_module("hims_pipeline.gates.judge"), "evaluate", lambda *args: [])
    with pytest.raises(GateError, match="without exactly one result"):
        judge(settings, contract(), "2024", parquet(tmp_path / "good", GOOD))


def test_what_a_verdict_rests_on(settings) -> None:
    before = gate_inputs(settings, contract(), "2024")
    suite(settings)
    after = gate_inputs(settings, contract(), "2024")
    assert {name for name in before if before[name] != after[name]} == {"suites"}
