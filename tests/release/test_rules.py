"""Rules from release to release: what is gone, emptied, weaker or changed is told by code, and waits for another
account where the observatory says so."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import HimsError, ReleaseError
from hims_pipeline.gates import inventory
from hims_pipeline.gates.rule_changes import compare_rules
from hims_pipeline.lake import journal
from hims_pipeline.privacy.file_modes import close_home, make_home
from hims_pipeline.release import rules, store
from hims_pipeline.settings import REPOSITORY, Settings

MANIFEST: dict[str, Any] = {
    "nodes": {
        "test.a": {
            "resource_type": "test",
            "name": "sums_add_up",
            "config": {"severity": "ERROR"},
            "raw_code": "select 1 where false",
        }
    },
    "unit_tests": {},
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A country of two sources with suites of their own, and the environment in which another account is asked."""
    for folder in ("codelists", "indicators"):
        shutil.copytree(REPOSITORY / "data" / folder, tmp_path / "data" / folder)
    (tmp_path / "data/contracts").mkdir()
    for source in ("rgph", "border_crossings"):
        shutil.copy(REPOSITORY / f"data/contracts/{source}.yml", tmp_path / "data/contracts")
    shutil.copy(REPOSITORY / "data/observatory.yml", tmp_path / "data")
    shutil.copytree(REPOSITORY / "expectations", tmp_path / "expectations")
    return Settings(REPOSITORY, tmp_path / "data", tmp_path / "expectations", tmp_path / "home", env="prod")


def keyed(settings: Settings) -> Settings:
    """The same in an environment that needs no key of its own: what is asked follows from the policies."""
    path = settings.data / "observatory.yml"
    path.write_text(path.read_text().replace("second_account: [prod]", "second_account: [test]"))
    return replace(settings, env="test")


def edit(path: Path, code: str, **changes: Any) -> None:
    suite = json.loads(path.read_text(encoding="utf-8"))
    for one in suite["expectations"]:
        if one["meta"]["code"] == code:
            one.update({name: value for name, value in changes.items() if name != "meta"})
            one["meta"] |= changes.get("meta", {})
    path.write_text(json.dumps(suite), encoding="utf-8")


def remove(path: Path, code: str) -> None:
    suite = json.loads(path.read_text(encoding="utf-8"))
    suite["expectations"] = [one for one in suite["expectations"] if one["meta"]["code"] != code]
    path.write_text(json.dumps(suite), encoding="utf-8")


def take_inventory(settings, manifest=MANIFEST):
    return inventory.take_inventory(settings, load_contracts(settings.data).values(), manifest)


def less(settings: Settings, before: inventory.Inventory) -> list[str]:
    return [one.sentence() for one in compare_rules(before, take_inventory(settings))]


SUITE = {
    "name": "border_crossings__passages",
    "expectations": [
        {
            "type": "expect_column_mean_to_be_between",
            "kwargs": {"column": "age", "min_value": 10, "max_value": 60},
            "severity": "critical",
            "meta": {"code": "B-1", "message": {"en": "x"}},
        },
        {
            "type": "expect_column_values_to_be_in_set",
            "kwargs": {"column": "sex", "value_set": ["M", "F"], "mostly": 0.99},
            "severity": "critical",
            "meta": {"code": "B-2", "message": {"en": "x"}, "periods": ["2024-*", "202[5-9]-*"]},
        },
        {
            "type": "unexpected_rows_expectation",
            "kwargs": {"unexpected_rows_query": "select 1 from {batch} where age > 120"},
            "severity": "critical",
            "meta": {"code": "B-3", "message": {"en": "x"}},
        },
    ],
}
EDITS: dict[str, tuple[str, dict[str, Any] | None, str]] = {
    "removed": ("B-1", None, "gone"),
    "a warning": ("B-1", {"severity": "warning"}, "weaker, a warning where it refused"),
    "a lower bound": ("B-1", {"kwargs": {"column": "age", "min_value": 5, "max_value": 60}}, "min_value 10 became 5"),
    "a bound less": ("B-1", {"kwargs": {"column": "age", "min_value": 10}}, "weaker, max_value 60 became None"),
    "another column": ("B-1", {"kwargs": {"column": "year", "min_value": 10, "max_value": 60}}, "changed"),
    "more values": (
        "B-2",
        {"kwargs": {"column": "sex", "value_set": ["M", "F", "X"], "mostly": 0.99}},
        "value_set of 2 became 3",
    ),
    "mostly": ("B-2", {"kwargs": {"column": "sex", "value_set": ["M", "F"], "mostly": 0.9}}, "mostly 0.99 became 0.9"),
    "fewer periods": ("B-2", {"meta": {"periods": ["2024-01", "202[5-9]-*"]}}, "no longer for 2024-*"),
    "may be empty": ("B-2", {"meta": {"may_be_empty": True}}, "weaker, the column may be empty"),
    "another condition": (
        "B-3",
        {"kwargs": {"unexpected_rows_query": "select 1 from {batch} where age > 500"}},
        "changed, cannot be ordered: unexpected_rows_query",
    ),
    "a rule that can find nothing": (
        "B-3",
        {"kwargs": {"unexpected_rows_query": "select 1 from {batch} where 1 = 0"}},
        "gone",  # its suite is refused as a whole, and judges nothing
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_rule_less_is_told_by_its_code(settings, what: str) -> None:
    path = settings.expectations / "border_crossings__passages.json"
    path.write_text(json.dumps(SUITE))
    before = take_inventory(settings)
    code, change, words = EDITS[what]
    if change is None:
        remove(path, code)
    else:
        edit(path, code, **change)
    told = less(settings, before)
    (line,) = [one for one in told if one.startswith(f"{code} (border_crossings/passages)")]
    assert words in line
    assert len(told) == (3 if what == "a rule that can find nothing" else 1)


STRONGER = (
    ("B-1", {"kwargs": {"column": "age", "min_value": 20, "max_value": 60}}),
    ("B-2", {"kwargs": {"column": "sex", "value_set": ["M"]}}),
    ("B-2", {"meta": {"periods": []}}),
)


@pytest.mark.parametrize(("code", "change"), STRONGER)
def test_a_stronger_rule_needs_nobodys_word(settings, code: str, change: dict[str, Any]) -> None:
    path = settings.expectations / "border_crossings__passages.json"
    path.write_text(json.dumps(SUITE))
    before = take_inventory(settings)
    edit(path, code, **change)
    assert less(settings, before) == []


def test_contracts_policies_and_tests_of_the_warehouse_are_rules_too(settings) -> None:
    before = take_inventory(settings)
    contract, observatory = settings.data / "contracts/rgph.yml", settings.data / "observatory.yml"
    text = contract.read_text(encoding="utf-8")
    assert "maximum: 120" in text
    contract.write_text(text.replace("maximum: 120", "maximum: 200"), encoding="utf-8")
    observatory.write_text(
        observatory.read_text().replace("minimum_count: 10", "minimum_count: 3").replace("[prod]", "[]")
    )
    told = [one.sentence() for one in compare_rules(before, take_inventory(settings, {}))]
    assert any("-RANGE (rgph/persons): weaker, max_value 120.0 became 200.0" in line for line in told), told
    assert "POLICY-MINIMUM-COUNT (policies): weaker, min_value 10 became 3" in told
    assert "POLICY-SECOND-ACCOUNT-PROD (policies): gone" in told
    assert "sums_add_up (warehouse): gone" in told


@pytest.mark.parametrize(
    ("file", "was", "now", "said"),
    [
        ("observatory.yml", "strict_count: 20", "strict_count: 10", "POLICY-STRICT-COUNT (policies): weaker"),
        ("observatory.yml", "counts: [student_departures]", "counts: []", "COUNTS-STUDENT_DEPARTURES (policies): gone"),
        ("observatory.yml", "disclosing: [prod]", "disclosing: []", "POLICY-REFUSE-DISCLOSING-PROD (policies): gone"),
        ("contracts/rgph.yml", "personal: true", "personal: false", "RGPH-PERSONS-PERSONAL (rgph/persons): weaker"),
        ("contracts/rgph.yml", "period:", "period:\n  may_be_ahead: true", "RGPH-PERSONS-AHEAD (rgph/persons): weaker"),
    ],
)  # fmt: skip
def test_a_switch_of_publication_that_is_loosened_is_told(settings, file: str, was: str, now: str, said: str) -> None:
    before, path = take_inventory(settings), settings.data / file
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, now, 1), encoding="utf-8")
    told = less(settings, before)
    assert any(said in line for line in told), told


def test_an_indicator_that_withholds_less_is_told(settings) -> None:
    before = take_inventory(settings)
    path = next(p for p in sorted((settings.data / "indicators").glob("*.yml")) if "strict: true" in p.read_text())
    path.write_text(path.read_text(encoding="utf-8").replace("strict: true", "strict: false"), encoding="utf-8")
    told = less(settings, before)
    assert any(line.startswith("POLICY-COUNT-OF-") and "min_value 2 became 1" in line for line in told), told


def test_a_source_that_is_gone_takes_its_rules_with_it_by_name(settings) -> None:
    before = take_inventory(settings)
    (settings.data / "contracts/border_crossings.yml").unlink()
    told = less(settings, before)
    assert len(told) == len(before["border_crossings/passages"]["rules"])
    assert all(line.endswith("(border_crossings/passages): gone") for line in told)


def release(settings: Settings, release_id: str) -> inventory.Inventory:
    """A release that keeps the present inventory."""
    staff = settings.releases / release_id / "staff"
    staff.mkdir(parents=True)
    held_to = take_inventory(settings)
    rules.write_rules(settings, staff, release_id, held_to)
    return held_to


def since(settings: Settings) -> rules.Since:
    return rules.compare_with_last(settings, take_inventory(settings))


def test_the_first_inventory_and_an_unchanged_one_are_told(settings) -> None:
    settings = keyed(settings)
    assert "first release that keeps an inventory" in rules.rule_notes(since(settings))
    release(settings, "r000001")
    assert "No rule is gone or weaker than in r000001." in rules.rule_notes(since(settings))
    rules.require_agreement(settings, since(settings))


def test_a_rule_less_stands_in_the_notes_and_holds_the_release_until_another_account_agrees(
    settings, monkeypatch
) -> None:
    settings = keyed(settings)
    release(settings, "r000001")
    remove(settings.expectations / "release.json", "RELEASE-002")
    assert "- RELEASE-002 (release): gone\n" in rules.rule_notes(since(settings))
    with pytest.raises(ReleaseError, match=r"RELEASE-002 \(release\): gone"):
        rules.require_agreement(settings, since(settings))
    with pytest.raises(HimsError, match="cannot agree to it as well"):
        rules.approve_rules(settings, "I say so")
    another(monkeypatch, 54321)
    rules.approve_rules(settings, "the dimension is checked elsewhere")
    monkeypatch.undo()
    word = next((settings.home / "approvals").glob("*-54321.json"))
    with pytest.raises(ReleaseError, match="Held"):  # still a file of the night's own account
        rules.require_agreement(settings, since(settings))
    own(word, 54321, monkeypatch)
    rules.require_agreement(settings, since(settings))
    told = journal.entries(settings)
    assert told[-1]["event"] == "rules approved"
    assert (told[-1]["uid"], told[-1]["codes"]) == (54321, ["RELEASE-002"])
    remove(settings.expectations / "release.json", "RELEASE-003")  # the word was on another difference
    with pytest.raises(ReleaseError, match="RELEASE-003"):
        rules.require_agreement(settings, since(settings))


def test_another_account_can_read_what_is_held_and_the_night_can_read_its_word(settings, monkeypatch) -> None:
    """After each start closed what was open, and under the umask of all that we start."""
    settings = keyed(settings)
    make_home(settings)
    release(settings, "r000001")
    remove(settings.expectations / "release.json", "RELEASE-002")
    with pytest.raises(ReleaseError, match="Held"):
        rules.require_agreement(settings, since(settings))
    assert [one for one in close_home(settings) if "approvals" in one] == []
    assert settings.approvals.stat().st_mode & 0o7777 == 0o3770
    assert (settings.approvals / "held.json").stat().st_mode & 0o777 == 0o640
    another(monkeypatch, 54321)
    umask = os.umask(0o077)
    try:
        rules.approve_rules(settings, "the dimension is checked elsewhere")
    finally:
        os.umask(umask)
    assert next(settings.approvals.glob("*-54321.json")).stat().st_mode & 0o777 == 0o644
    settings.approvals.chmod(0o3777)
    assert any("approvals" in one for one in close_home(settings))
    assert settings.approvals.stat().st_mode & 0o7777 == 0o3770


def another(monkeypatch, uid: int) -> None:
    monkeypatch.setattr(os, "getuid", lambda: uid)


def own(path: Path, uid: int, monkeypatch) -> None:
    """Give a file to another account: as root in truth, else as `release.rules` sees it."""
    if os.getuid() == 0:
        os.chown(path, uid, -1)
        return
    real = rules._owner
    monkeypatch.setattr(rules, "_owner", lambda one: uid if one == path else real(one))


def test_who_changed_the_rules_cannot_agree_either(settings, monkeypatch) -> None:
    settings = keyed(settings)
    release(settings, "r000001")
    remove(settings.expectations / "release.json", "RELEASE-002")
    own(settings.expectations / "release.json", 54321, monkeypatch)
    with pytest.raises(ReleaseError, match="54321"):
        rules.require_agreement(settings, since(settings))
    another(monkeypatch, 54321)
    with pytest.raises(HimsError, match="cannot agree"):
        rules.approve_rules(settings, "I wrote it")


def test_dropping_the_policy_is_itself_held(settings) -> None:
    settings = keyed(settings)
    release(settings, "r000001")
    path = settings.data / "observatory.yml"
    path.write_text(path.read_text().replace("second_account: [test]", "second_account: []"))
    with pytest.raises(ReleaseError, match="POLICY-SECOND-ACCOUNT-TEST"):
        rules.require_agreement(settings, since(settings))


def test_where_no_second_account_is_asked_the_notes_tell_it_and_the_release_goes_out(settings) -> None:
    settings = replace(settings, env="test")
    release(settings, "r000001")
    remove(settings.expectations / "release.json", "RELEASE-002")
    rules.require_agreement(settings, since(settings))
    assert "RELEASE-002 (release): gone" in rules.rule_notes(since(settings))


def test_an_inventory_that_was_edited_or_taken_from_another_release_is_not_believed(settings) -> None:
    settings = keyed(settings)
    release(settings, "r000001")
    release(settings, "r000002")
    latest = settings.releases / "r000002/staff/rules.json"
    shutil.copy(settings.releases / "r000001/staff/rules.json", latest)
    assert since(settings).release == "r000001"
    for one in store.releases(settings):
        path = one.staff / "rules.json"
        path.write_text(path.read_text().replace("RELEASE-002", "RELEASE-020"))
    with pytest.raises(ReleaseError, match=r"INVENTORY \(release\): gone"):
        rules.require_agreement(settings, since(settings))
    rules.require_agreement(replace(settings, env="dev"), rules.compare_with_last(replace(settings, env="dev"), {}))


def test_approving_needs_a_held_release_and_a_reason(settings, monkeypatch) -> None:
    settings = keyed(settings)
    with pytest.raises(HimsError, match="No release is held"):
        rules.approve_rules(settings, "so")
    release(settings, "r000001")
    remove(settings.expectations / "release.json", "RELEASE-002")
    with pytest.raises(ReleaseError):
        rules.require_agreement(settings, since(settings))
    another(monkeypatch, 54321)
    with pytest.raises(HimsError, match="--reason"):
        rules.approve_rules(settings, "  ")
