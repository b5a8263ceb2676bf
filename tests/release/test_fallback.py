"""Rules across sources, and the source that falls back where one is broken: who is at fault, and for how long."""

import json
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from hims_pipeline.errors import ContractError, ReleaseError
from hims_pipeline.gates.warehouse import QUERIES, Broken, judge_warehouse, warehouse_rules
from hims_pipeline.lake import batches, journal, landing
from hims_pipeline.lake.held_back import read_held_back, write_held_back
from hims_pipeline.release import fallback
from hims_pipeline.settings import REPOSITORY
from tests.lake.test_deliveries import accept, contract, sent

WHO = "entity varchar, sex varchar, birth_date date, country_of_citizenship_code varchar"
TABLES = {
    "indicators.controls_compared": "source varchar, time_period varchar, control_id varchar, is_met bool,"
    " our_value double",
    "conformed.fct_border_crossings": "source varchar, period varchar, post_code varchar, direction varchar,"
    " traveller_id varchar, crossing_date date",
    "conformed.fct_migrants": "source varchar, period varchar, move_year int, age_years int, period_end_date date,"
    " ref_country varchar, data_kind varchar, migrant_group varchar, measure_type varchar,"
    " weight_persons decimal(38,18)",
    "conformed.fct_mirror_cells": "source varchar, period varchar, data_kind varchar, measure varchar, sex varchar,"
    " age varchar, reference_year int, reporting_country_code varchar, country_of_birth_code varchar,"
    " observed_value double",
    "conformed.fct_persons": "source varchar, period varchar, ref_country varchar, area_code varchar,"
    " period_end_date date, weight_persons decimal(38,18), citizenship_status varchar",
    "conformed.fct_permits": "source varchar, period varchar, ref_country varchar, area_code varchar,"
    " holder_id varchar, period_end_date date, permit_kind varchar, valid_from_date date, valid_to_date date,"
    f" {WHO}",
    "conformed.fct_vital_events": "source varchar, period varchar, ref_country varchar, area_code varchar,"
    " event_date date, event_type varchar, coverage_percent decimal(5,2)",
    "conformed.fct_person_links": "source varchar, period varchar, register_source varchar",
    "conformed.fct_enrolments": "source varchar, period varchar, ref_country varchar, period_end_date date,"
    " student_group varchar, measure_type varchar, students_persons decimal(38,15), is_microdata bool,"
    f" student_id varchar, {WHO}",
    "conformed.fct_insurance_periods": "source varchar, entity varchar, period varchar, period_end_date date,"
    " person_id varchar, sex varchar, birth_year int, country_of_citizenship_code varchar, is_person_known bool",
    "conformed.fct_registrations": "source varchar, entity varchar, period varchar, period_end_date date,"
    " person_id varchar, sex varchar, birth_date date",
    "conformed.fct_placements": "source varchar, entity varchar, period varchar, period_end_date date,"
    " contract_id varchar, person_id varchar, sex varchar, country_code varchar",
    "conformed.dim_batch": "source varchar",
}
CENSUS = (
    "insert into conformed.fct_persons select 'rgph', '2024', 'TUN', 'TN-11', date '2024-11-06', 10,"
    " if(i < 10, 'FOREIGN', 'CITIZEN') from range(300) as t(i)"
)
CARDS = (
    "insert into conformed.fct_permits by name select 'cards' as source, '2024' as period, 'TUN' as ref_country,"
    " 'TN-11' as area_code, i as holder_id, date '2024-12-31' as period_end_date, 'RESIDENCE_CARD' as permit_kind,"
    " date '2024-01-01' as valid_from_date, date '2025-01-01' as valid_to_date from range({n}) as t(i)"
)
BIRTHS = (
    "insert into conformed.fct_vital_events select 'civil', '2024', 'TUN', 'TN-11', date '2024-05-01', 'BIRTH', 100"
    " from range({n})"
)
PASSAGES = (
    "insert into conformed.fct_border_crossings select 'border', '{month}', 'P1', {direction}, i, date '2024-01-05'"
    " from range(400) as t(i)"
)
PERSONS = (
    "insert into conformed.fct_permits by name select 'cards' as source, 'cards' as entity, '2023' as period,"
    " i as holder_id, date '2023-12-31' as period_end_date, 'F' as sex, date '1980-05-01' as birth_date,"
    " 'ITA' as country_of_citizenship_code from range(100) as t(i); insert into conformed.fct_permits by name"
    " select 'cards' as source, 'cards' as entity, '2024' as period, i as holder_id,"
    " date '2024-12-31' as period_end_date, {sex} as sex, make_date({born}, 5, 1) as birth_date,"
    " {citizenship} as country_of_citizenship_code from range(100) as t(i)"
)
SAME = {"sex": "'F'", "born": 1980, "citizenship": "'ITA'"}
EITHER = "if(i % 2 = 0, 'ENTRY', 'EXIT')"
# What breaks a rule, and what is like it and does not.
CASES = {
    "WAREHOUSE-001": (
        "insert into indicators.controls_compared values ('rgph', '2024', 'C', {met}, 5)",
        {"met": "false"}, {"met": "true"}, [("rgph",)],
    ),
    "WAREHOUSE-002": (PASSAGES, {"month": "2024-01", "direction": "'EXIT'"}, {"month": "2024-01", "direction": EITHER},
                      [("border",)]),
    "WAREHOUSE-003": (
        "insert into conformed.fct_migrants by name select 'survey' as source, '2021' as period, {year} as move_year,"
        " 20 as age_years, date '2021-12-31' as period_end_date from range(50)",
        {"year": 1985}, {"year": 2015}, [("survey",)],
    ),
    "WAREHOUSE-004": (f"{CENSUS}; {CARDS}", {"n": 250}, {"n": 90}, [("cards", "rgph")]),
    "WAREHOUSE-005": (f"{CENSUS}; {BIRTHS}", {"n": 300}, {"n": 50}, [("civil", "rgph")]),
    "WAREHOUSE-006": (
        f"{PASSAGES.format(month='2024-01', direction=EITHER)}; {PASSAGES}",
        {"month": "2024-02", "direction": EITHER}, {"month": "2024-01", "direction": EITHER}, [("border",)],
    ),
    "WAREHOUSE-007": (
        "insert into conformed.dim_batch values ('{there}'); insert into conformed.fct_person_links values"
        " ('person_links', '2024-12-31', 'rgph')",
        {"there": "cards"}, {"there": "rgph"}, [("person_links",)],
    ),
    "WAREHOUSE-008": (
        "insert into conformed.fct_enrolments (source, period, ref_country, period_end_date, student_group,"
        " measure_type, students_persons) values"
        " ('abroad', '2022', 'TUN', date '2022-12-31', 'STUDENT_ABROAD', 'stock', 767),"
        " ('departures', '2022-23', 'TUN', date '2023-09-30', 'STUDENT_ABROAD', 'flow', {n}),"
        " ('others', '2022-23', 'TUN', date '2023-09-30', 'FOREIGN_STUDENT', 'flow', 5000)",
        {"n": 600}, {"n": 173}, [("departures", "abroad")],
    ),
    "WAREHOUSE-009": (
        "insert into conformed.fct_migrants by name select 'survey' as source, '2021' as period, 'TUN' as ref_country,"
        " date '2021-12-31' as period_end_date, 'synthetic' as data_kind, 'CURRENT_MIGRANT' as migrant_group,"
        " kind as measure_type, 10 as weight_persons from range(50), (values ('stock'), ('flow')) as kinds(kind)"
        " where kind = 'stock' or range < 5; insert into conformed.fct_mirror_cells"
        " select 'mirror', '2024', kind, 'FOREIGN_BORN', '_T', '_T', 2021, 'R' || i, 'TUN', {n}"
        " from range(6) as t(i), (values ('synthetic'), ('aggregate')) as kinds(kind)",
        {"n": 900}, {"n": 75}, [("mirror", "survey")],
    ),
    "WAREHOUSE-010": (
        PERSONS, SAME | {"sex": "if(i < 30, 'M', 'F')"}, SAME | {"sex": "if(i < 2, 'M', 'F')"}, [("cards",)],
    ),
    "WAREHOUSE-011": (PERSONS, SAME | {"born": 1990}, SAME | {"born": 1981}, [("cards",)]),
    "WAREHOUSE-012": (
        PERSONS, SAME | {"citizenship": "if(i < 30, 'FRA', 'ITA')"}, SAME | {"citizenship": "if(i < 2, '_U', 'ITA')"},
        [("cards",)],
    ),
    "WAREHOUSE-013": (
        "insert into conformed.fct_placements select channel, 'placements', '2024', date '2024-12-31', i, i, sex,"
        " 'FRA' from range(40) as t(i), (values ('office', 'M'), ('agency', {sex})) as lists(channel, sex)",
        {"sex": "if(i < 5, 'F', 'M')"}, {"sex": "if(i < 5, '_U', 'M')"}, [("agency", "office")],
    ),
}  # fmt: skip


@pytest.fixture
def judged(settings, tmp_path: Path):
    """What is broken in a warehouse of these rows."""

    def judge(sql: str) -> list[Broken]:
        path = tmp_path / "warehouse.duckdb"
        path.unlink(missing_ok=True)
        con = duckdb.connect(str(path))
        con.execute("create schema indicators; create schema conformed")
        for name, columns in TABLES.items():
            con.execute(f"create table {name} ({columns})")
        con.execute(sql)
        con.close()
        outcome, broken = judge_warehouse(settings, path)
        assert outcome.evaluated == len(CASES)
        assert outcome.accepted is not any(one.severity == "blocking" for one in broken)
        return broken

    return judge


@pytest.mark.parametrize("code", CASES)
def test_each_rule_breaks_and_holds(judged, code: str) -> None:
    sql, bad, good, sources = CASES[code]
    assert [one.sources for one in judged(sql.format(**bad)) if one.code == code] == sources
    assert [one for one in judged(sql.format(**good)) if one.code == code] == []


def test_each_rule_of_the_suite_has_its_case(settings) -> None:
    assert {one.code for one in warehouse_rules(settings.expectations)} == set(CASES)
    assert {path.stem for path in (settings.expectations / QUERIES).glob("*.sql")} == {
        one.entity for one in warehouse_rules(settings.expectations)
    }


def test_a_rule_without_its_query_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "warehouse.json").write_text((REPOSITORY / "expectations/warehouse.json").read_text())
    with pytest.raises(ContractError, match="WAREHOUSE-001 has no query"):
        warehouse_rules(tmp_path)


def rows(*batches: str) -> list[dict[str, str]]:
    return [{"batch_id": one, "source": one.split("/")[0], "period": one.split("/")[1]} for one in batches]


def broken(*sources: str, period: str = "2024", severity: str = "blocking") -> list[Broken]:
    return [Broken("WAREHOUSE-001", severity, "A figure is missed.", sources, (period,), 1)]


def at_fault(settings, found: list[Broken], now: list[dict[str, str]], before: set[str]) -> set[str]:
    return set(fallback.find_at_fault(settings, found, now, before))


def test_what_is_new_is_at_fault_and_of_the_period_that_is_named(settings) -> None:
    now = rows("rgph/2014/a", "rgph/2024/b", "cards/2024/c")
    assert at_fault(settings, broken("rgph"), now, {"rgph/2014/a", "cards/2024/c"}) == {"rgph/2024/b"}
    assert at_fault(settings, broken("rgph"), now, set()) == {"rgph/2024/b"}
    assert at_fault(settings, broken("rgph", period="2014"), now, set()) == {"rgph/2014/a"}
    assert at_fault(settings, broken("cards", "rgph"), now, {"rgph/2014/a", "rgph/2024/b"}) == {"cards/2024/c"}


def test_what_was_out_before_is_told_and_stays(settings) -> None:
    now = rows("rgph/2024/b")
    assert at_fault(settings, broken("rgph"), now, {"rgph/2024/b"}) == set()
    assert at_fault(settings, broken("rgph", severity="warning"), now, set()) == set()


def test_a_required_source_or_two_suspects_hold_the_release(settings, monkeypatch) -> None:
    with pytest.raises(ReleaseError, match="Several of them are new"):
        at_fault(settings, broken("cards", "rgph"), rows("rgph/2024/b", "cards/2024/c"), set())

    class Required:
        class policies:
            required_sources = ("rgph",)

    monkeypatch.setattr(fallback, "load_observatory", lambda data: Required)
    with pytest.raises(ReleaseError, match="rgph is required"):
        at_fault(settings, broken("rgph"), rows("rgph/2024/b"), set())


def test_a_batch_is_held_back_until_what_it_was_judged_by_changes(settings, monkeypatch) -> None:
    settings.home.mkdir()
    monkeypatch.setattr(fallback, "fallback_basis", lambda _: "then")
    fallback._hold_back(settings, {"rgph/2024/b": broken("rgph")}, rows("rgph/2024/b"))
    fallback.clear_stale(settings)
    assert read_held_back(settings)["rgph/2024/b"]["codes"] == ["WAREHOUSE-001"]
    monkeypatch.setattr(fallback, "fallback_basis", lambda _: "another control")
    fallback.clear_stale(settings)
    assert read_held_back(settings) == {}


def test_nothing_is_believed_of_a_record_that_was_changed(settings) -> None:
    settings.home.mkdir()
    write_held_back(settings, {"rgph/2024/b": {"codes": [], "reason": "x", "since": "", "basis": "", "beside": {}}})
    path = settings.home / "held_back.json"
    record = json.loads(path.read_text())
    record["batches"] = {"rgph/2014/a": record["batches"]["rgph/2024/b"]}
    path.write_text(json.dumps(record))
    assert read_held_back(settings) == {}


def test_the_delivery_before_counts_while_one_is_held_back(settings, tmp_path: Path) -> None:
    """Two deliveries of a period: the second is held back, and lets itself in again once the record goes."""
    found = []
    for text in ("a", "b"):
        delivery, _ = landing.take_over(settings, contract(), "2023", [sent(tmp_path, text)])
        accept(settings, delivery)
        found.append(delivery.batch)

    def counted() -> list[str]:
        return [
            one.manifest.batch
            for one in batches.find_current_batches(settings, contract(), landing.deliveries(settings))
        ]

    assert counted() == [found[1]]
    write_held_back(settings, {found[1]: {"codes": [], "reason": "x", "since": "", "basis": "", "beside": {}}})
    assert counted() == [found[0]]
    write_held_back(settings, {})
    assert counted() == [found[1]]


def test_a_night_builds_again_without_the_delivery_at_fault(settings, tmp_path: Path, monkeypatch) -> None:
    settings.home.mkdir()
    built: list[str] = []

    def build(name: str, *names: str) -> SimpleNamespace:
        folder = tmp_path / name
        return SimpleNamespace(folder=folder, warehouse=folder / "w", inputs=lambda: rows(*names))

    def prepare(settings, run: str, log) -> SimpleNamespace:
        built.append(run)
        return build(run, *(one for one in ("rgph/2024/a", "cards/2024/c") if one not in read_held_back(settings)))

    said = {"run": broken("rgph"), "run-1": broken("cards"), "run-2": []}
    monkeypatch.setattr(fallback, "judge_warehouse", lambda _, path: (None, said.get(path.parent.name, [])))
    monkeypatch.setattr(fallback, "fallback_basis", lambda _: "now")
    monkeypatch.setattr(fallback, "run_dbt", lambda *_: None)
    monkeypatch.setattr(fallback.building, "prepare", prepare)
    first = build("run", "rgph/2024/a", "cards/2024/c")
    first.folder.mkdir()
    judged = fallback.settle_fallback(settings, first, None, print)
    assert built == ["run-1", "run-2"]
    assert not first.folder.exists()
    assert [one["batch_id"] for one in judged.build.inputs()] == []
    assert set(read_held_back(settings)) == {"rgph/2024/a", "cards/2024/c"}
    assert [one["event"] for one in journal.entries(settings)] == ["batch held back"] * 2


def test_what_stays_at_fault_after_so_many_builds_is_an_error(settings, tmp_path: Path, monkeypatch) -> None:
    settings.home.mkdir()
    monkeypatch.setattr(fallback, "judge_warehouse", lambda *_: (None, broken("rgph")))
    monkeypatch.setattr(fallback, "fallback_basis", lambda _: "now")
    monkeypatch.setattr(fallback, "run_dbt", lambda *_: None)
    again = SimpleNamespace(folder=tmp_path / "x", warehouse=tmp_path, inputs=lambda: rows("rgph/2024/a"))
    monkeypatch.setattr(fallback.building, "prepare", lambda *_: again)
    with pytest.raises(ReleaseError, match="after 3 builds"):
        fallback.settle_fallback(settings, again, None, print)
