"""Rows that break a rule which allows it are set aside up to a share, counted, kept, and lost nowhere."""

import json

import duckdb
import pytest

from hims_pipeline import intake
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import ContractError
from hims_pipeline.gates import rule_changes
from hims_pipeline.gates.suites import load_suite
from hims_pipeline.lake import batches, reports
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.release import caveats
from hims_pipeline.staging.inputs import current_batches, input_rows
from tests.reporting.conftest import CONTRACT, SUITE, csv, rows

OLD = [(9000 + n, "F", 130 + n, "N", "OTHERFAITH") for n in range(4)]
SOUTH = [(9500, "M", 105, "S", "OTHERFAITH")]


def test_few_rows_are_set_aside_and_the_rest_counts(settings, deliver) -> None:
    delivery, verdict = deliver(csv([*rows(), *OLD, *SOUTH]))
    assert verdict.status == "accepted", [one.sentence() for one in verdict.findings]
    told = {one.rule: (one.rows, one.total) for one in verdict.set_aside}
    assert told == {"ARRIVALS-PEOPLE-AGE-RANGE": (4, 1005), "ARRIVALS-002": (1, 1005)}
    assert {(one.rule, one.severity, one.count) for one in verdict.findings} == {
        ("ARRIVALS-PEOPLE-AGE-RANGE", "warning", 4),
        ("ARRIVALS-002", "warning", 1),
    }
    (batch,) = current_batches(settings)
    entity = batch.manifest.entities["people"]
    assert (entity.rows, entity.set_aside, entity.rejected) == (1000, 5, 0)
    aside = reports.rejects_folder(settings, delivery) / "people.set_aside.parquet"
    kept = duckdb.sql(f"select _rule, count(*) from '{aside}' group by _rule order by _rule").fetchall()
    assert kept == [("ARRIVALS-002", 1), ("ARRIVALS-PEOPLE-AGE-RANGE", 4)]
    assert aside.stat().st_mode & 0o77 == 0
    assert [(one["rows"], one["set_aside_share"]) for one in input_rows(settings)] == [(1000, 5 / 1005)]
    (aside_of,) = caveats.caveats_of(settings, [batch])["rows_set_aside"]
    assert aside_of["by_rule"] == {"ARRIVALS-PEOPLE-AGE-RANGE": 4, "ARRIVALS-002": 1}
    assert "4 rows break ARRIVALS-PEOPLE-AGE-RANGE" in caveats.caveat_notes(caveats.caveats_of(settings, [batch]))
    assert intake.find_pending(settings) == []
    assert reports.damaged_rejects(settings, delivery) == []
    page = (batch.folder / "report.fr.html").read_text(encoding="utf-8")
    assert "mises de côté ; le reste est utilisé" in page


@pytest.mark.parametrize(("sent", "lines", "rule"), [
    ([*rows(), *OLD], "", "ARRIVALS-PEOPLE-AGE-RANGE"), (rows(), "9001,F,old,N,X\n" * 4, "ARRIVALS-PEOPLE-ROWS"),
])  # fmt: skip
def test_what_is_left_must_be_rows_enough(settings, deliver, sent, lines, rule) -> None:
    path = settings.data / "contracts/arrivals.yml"
    lenient = "    record_tolerance: 0.01\n    minimum_rows: {}\n    set_aside:"
    path.write_text(CONTRACT.replace("    set_aside:", lenient.format(1000)), encoding="utf-8")
    assert deliver(csv(sent) + lines)[1].status == "accepted"
    path.write_text(CONTRACT.replace("    set_aside:", lenient.format(1001)), encoding="utf-8")
    with installation_lock(settings, "test"):
        (one,) = intake.find_pending(settings)
        verdict = intake.take_in(settings, one.delivery, lambda text: None)
    assert (verdict.status, rule in {one.rule for one in verdict.reasons}) == ("refused", True)


def test_past_the_share_the_batch_is_refused_whole(settings, deliver) -> None:
    old = [(9000 + n, "F", 130 + n, "N", "OTHERFAITH") for n in range(20)]
    delivery, verdict = deliver(csv([*rows(), *old]))
    assert (verdict.status, verdict.set_aside) == ("refused", ())
    folder = batches.settled_folder(settings, delivery)
    manifest = batches.read_batch_manifest(settings, folder)
    assert manifest.entities["people"].rows == 1020
    assert not list(reports.rejects_folder(settings, delivery).glob("*"))


def test_nothing_is_set_aside_of_what_is_refused_all_the_same(settings, deliver) -> None:
    delivery, verdict = deliver(csv([*rows(), (9, "F", 30, "N", "OTHERFAITH"), *OLD]))
    assert verdict.status == "refused"
    assert {one.rule for one in verdict.reasons} == {"ARRIVALS-PEOPLE-KEY", "ARRIVALS-PEOPLE-AGE-RANGE"}
    assert batches.read_batch_manifest(settings, batches.settled_folder(settings, delivery)).rows == 1005


def test_another_share_reads_the_delivery_again(settings, deliver) -> None:
    delivery, _ = deliver(csv([*rows(), *OLD]))
    for share, status, rows_kept in (("0.002", "refused", 1004), ("0.5", "accepted", 1000)):
        path = settings.data / "contracts/arrivals.yml"
        path.write_text(CONTRACT.replace("AGE-RANGE: 0.01", f"AGE-RANGE: {share}"), encoding="utf-8")
        with installation_lock(settings, "test"):
            (one,) = intake.find_pending(settings)
            assert intake.take_in(settings, one.delivery, lambda text: None).status == status
        assert batches.read_batch_manifest(settings, batches.settled_folder(settings, delivery)).rows == rows_kept
    assert intake.find_pending(settings) == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("{AGE-RANGE: 1.5}", "less than 1"),
        ("{AGE-CODES: 0.1}", "AGE-CODES"),
        ("{ROWS: 0.1}", "ROWS"),
        ("{X: 0.1}", "X"),
    ],
)
def test_a_share_of_no_rule_is_an_error(settings, wrong, why) -> None:
    path = settings.data / "contracts/arrivals.yml"
    path.write_text(CONTRACT.replace("{AGE-RANGE: 0.01}", wrong), encoding="utf-8")
    from hims_pipeline.contracts.load import broken_contracts

    assert why in broken_contracts(settings.data)["arrivals"]
    assert "arrivals" not in load_contracts(settings.data)


def test_only_a_rule_on_rows_sets_rows_aside(settings) -> None:
    suite = json.loads(json.dumps(SUITE))
    suite["expectations"][0]["meta"]["set_aside"] = 0.1
    path = settings.expectations / "arrivals__people.json"
    path.write_text(json.dumps(suite))
    with pytest.raises(ContractError, match="selects `_line`"):
        load_suite(path)


def test_letting_rows_go_is_a_weaker_rule() -> None:
    def inventory(**terms: object) -> dict:
        record = {"expectation": "e", "terms": terms, "severity": "blocking", "may_be_empty": False, "empty": False}
        return {"a/b": {"layouts": [""], "rules": {"A-1": [record | {"in": [""]}]}}}

    for name, value in (("set_aside", 0.1), ("may_be_accepted", True)):
        (change,) = rule_changes.compare_rules(inventory(), inventory(**{name: value}))
        assert change.kind == "weaker"
        assert rule_changes.compare_rules(inventory(**{name: value}), inventory()) == []
