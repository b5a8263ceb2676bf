"""`hims why`: from a figure back to what it rests on, from one that is missing to a reason of the closed list."""

import json
import re
from typing import get_args

import duckdb
import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from hims_pipeline.contracts.indicators import Formula
from hims_pipeline.release.reader import connect
from hims_pipeline.tracing.absence import Reason, _explain_sources, days_of
from hims_pipeline.tracing.formulas import WORDS, describe_formula
from hims_pipeline.tracing.questions import find_near


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
        (("B08", "TUN", "2024", ""), "PLANNED"),
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


def test_sources_that_are_there_and_give_nothing_are_no_reason_to_say_that_nobody_was_counted() -> None:
    there = {"sources": [{"source": "rgph", "periods": ["2014", "2024"]}]}
    assert _explain_sources(["rgph", "hims_survey"], there).reason is Reason.NOT_GIVEN
    assert _explain_sources(["hims_survey"], there).reason is Reason.NO_SOURCE


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


def test_every_kind_of_formula_is_said_in_words() -> None:
    kinds = get_args(Formula.model_fields["kind"].annotation)
    assert set(WORDS) == set(kinds)
    for kind in kinds:
        more = {"value": "age_years"} if kind in ("mean", "quantile", "change") else {"measure": "sex = 'F'"}
        more |= {"against": "sex = 'M'"} if kind == "difference" else {}
        formula = Formula.model_validate({"fact": "persons", "kind": kind, "cells": [["sex"]]} | more)
        assert describe_formula(formula, {"sex": "F"}).numerator
