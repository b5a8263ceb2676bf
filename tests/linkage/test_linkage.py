"""Registers joined by number: one gated delivery from the batches that count, the same pairs the same bytes."""

import shutil
from pathlib import Path

import duckdb
import pytest
import yaml

from hims_pipeline import intake, linkage, rotation
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates.judge import judge
from hims_pipeline.gates.suites import load_suite, suite_file
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import acts_lock, installation_lock
from hims_pipeline.privacy.key_record import KeyMismatch
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.settings import REPOSITORY, Settings
from tests.linkage.conftest import link, send


def rows(settings: Settings, source: str, entity: str, what: str, period: str = "*") -> list[tuple]:
    with duckdb.connect() as con:
        files = f"{settings.validated}/{source}/{period}/*/{entity}.parquet"
        return con.execute(f"select {what} from read_parquet('{files}')").fetchall()


def test_only_the_links_join_two_registers(settings) -> None:
    send(settings, "census", ["90000001", "90000002", "90000003"])
    send(settings, "consulate", ["٩٠٠٠٠٠٠٢", "90000003", "90000004"])
    census, consulate = (set(rows(settings, name, "people", "cin")) for name in ("census", "consulate"))
    assert len(census) == len(consulate) == 3
    assert census & consulate == set()
    assert len(link(settings)) == 1
    with duckdb.connect() as con:
        [(joined,)] = con.execute(
            f"""with links as (from read_parquet('{settings.validated}/person_links/*/*/pairs.parquet')),
                census as (from read_parquet('{settings.validated}/census/*/*/people.parquet')),
                consulate as (from read_parquet('{settings.validated}/consulate/*/*/people.parquet'))
                select count(*) from census join links a on a.register_id = census.cin::varchar
                join links b on a.study_id = b.study_id join consulate on b.register_id = consulate.cin::varchar"""
        ).fetchall()
    assert joined == 2


def test_the_same_pairs_are_nothing_new(settings) -> None:
    send(settings, "census", ["90000001"])
    [first] = link(settings)
    assert link(settings) == [first]
    send(settings, "census", ["90000001"], period="2014")
    assert link(settings) == [first]
    assert len(landing.deliveries(settings, linkage.SOURCE)) == 1


def test_withdrawn_batches_leave_the_links(settings) -> None:
    send(settings, "census", ["90000001", "90000002"])
    [first] = link(settings)
    consulate = send(settings, "consulate", ["90000002"])
    [second] = link(settings)
    assert second.id != first.id
    intake.withdraw(settings, consulate.batch, "the wrong file")
    assert [one.id for one in link(settings)] == [first.id]
    assert link(settings)[0].id == first.id
    intake.reinstate(settings, consulate.batch)
    assert [one.why for one in intake.find_pending(settings)] == ["was withdrawn and counts again"]
    with installation_lock(settings, "test"):
        intake.take_in(settings, landing.find_delivery(settings, consulate.batch), lambda text: None)
    assert [one.id for one in link(settings)] == [second.id]
    for one in landing.deliveries(settings):
        if one.source != linkage.SOURCE:
            intake.withdraw(settings, one.batch, "all wrong")
    assert link(settings) == []


def test_links_that_a_person_withdrew_do_not_come_back(settings) -> None:
    send(settings, "census", ["90000001"])
    [first] = link(settings)
    intake.withdraw(settings, first.batch, "not to be linked")
    assert link(settings) == []
    send(settings, "census", ["90000001"], period="2025")  # the same pairs on a later day
    assert link(settings) == []


def test_links_made_before_do_not_stand_in_for_what_a_person_withdrew(settings) -> None:
    census = send(settings, "census", ["90000001"])
    [first] = link(settings)
    send(settings, "consulate", ["90000002"])
    [second] = link(settings)
    intake.withdraw(settings, census.batch, "the wrong file")
    [third] = link(settings)
    assert len({first.id, second.id, third.id}) == 3
    intake.withdraw(settings, third.batch, "not to be linked")
    assert link(settings) == []  # the others would keep the census alive
    send(settings, "census", ["90000005"])
    assert len(link(settings)) == 1


def test_no_clock_and_no_period_keeps_a_withdrawn_register_alive(settings, tmp_path) -> None:
    """Links whose period a clock once set to 2126 are superseded by the next, of whichever day."""
    send(settings, "consulate", ["90000002"])
    census = send(settings, "census", ["90000001"], period="2025")
    [first] = link(settings)
    assert first.period == "2025-12-31"  # the last day that the registers cover
    [path] = first.paths(settings)
    contract = load_contracts(settings.data)[linkage.SOURCE]
    with installation_lock(settings, "test"):
        far, _ = landing.take_over(settings, contract, "2126-11-28", [path])
        intake.take_in(settings, far, lambda text: None)
    intake.withdraw(settings, census.batch, "the wrong file")
    [second] = link(settings)
    assert second.period == "2024-12-31"
    assert set(rows(settings, "person_links", "pairs", "register_source", second.period)) == {("consulate",)}


def test_real_persons_and_inventions_are_not_linked(settings) -> None:
    send(settings, "census", ["90000001"])
    send(settings, "payroll", ["90000001"])
    said: list[str] = []
    with installation_lock(settings, "test"):
        linkage.link_registers(settings, said.append)
    assert "payroll is real, the links are synthetic: it is not linked" in said
    link(settings)
    assert set(rows(settings, "person_links", "pairs", "register_source")) == {("census",)}


def test_another_key_or_lost_pairs_make_a_batch_pending(settings, tmp_path) -> None:
    send(settings, "census", ["90000001"])
    assert intake.find_pending(settings) == []
    create_key(tmp_path / "key")
    rotated = Settings(**{**settings.__dict__, "key_file": tmp_path / "key"})
    with pytest.raises(KeyMismatch, match="the demonstration key"):
        intake.find_pending(rotated)
    with installation_lock(settings, "test"), acts_lock(settings, "test"):
        rotation.rotate(settings, tmp_path / "key", "a test")
    assert [one.why for one in intake.find_pending(rotated)] == ["new"]
    intake.take_in(rotated, intake.find_pending(rotated)[0].delivery, print)
    assert intake.find_pending(rotated) == []
    with pytest.raises(KeyMismatch):
        intake.find_pending(settings)
    settings = rotated
    shutil.rmtree(settings.links)
    assert [one.why for one in intake.find_pending(settings)] == [
        "its pairs for the linkage are missing or damaged: people"
    ]


def test_without_a_contract_of_links_nothing_is_linked(settings) -> None:
    send(settings, "census", ["90000001"])
    (settings.data / "contracts/person_links.yml").unlink()
    assert linkage.link_registers(settings) is None


PAIR = "('{0}', 'national_id', '{1}', '{1}_number', '{2}', 'DETERMINISTIC', '{3}')"
UUIDS = [f"00000000-0000-0000-0000-00000000000{n}" for n in range(10)]
KEY, OTHER_KEY = "0123456789ab", "ba9876543210"
GOOD = [
    (UUIDS[0], "census", UUIDS[1], KEY),
    (UUIDS[0], "consulate", UUIDS[2], KEY),
    (UUIDS[3], "census", UUIDS[4], KEY),
]
BROKEN = {
    "LINKS-PAIR-001": [*GOOD, (UUIDS[5], "census", UUIDS[1], KEY)],
    "LINKS-PAIR-002": [*GOOD, (UUIDS[0], "census", UUIDS[6], KEY)],
    "LINKS-PAIR-003": [*GOOD, (UUIDS[7], "census", UUIDS[7], KEY)],
    "LINKS-PAIR-004": [*GOOD, (UUIDS[0], "payroll", UUIDS[1], KEY)],
    "LINKS-PAIR-005": [*GOOD, (UUIDS[8], "payroll", UUIDS[9], OTHER_KEY)],
    "LINKS-PAIR-006": [GOOD[0], (UUIDS[3], "consulate", UUIDS[2], KEY)],
}


def verdict(settings: Settings, tmp_path: Path, pairs) -> set[str]:
    path = tmp_path / "pairs.parquet"
    values = ", ".join(PAIR.format(*pair) for pair in pairs)
    names = "study_id, link_key, register_source, register_domain, register_id, method, key_version"
    numbered = f"select *, row_number() over () as _line from (values {values}) as t({names})"
    with duckdb.connect() as con:
        con.execute(f"copy ({numbered}) to '{path}' (format parquet)")
    contract = load_contracts(settings.data)["person_links"]
    return {finding.rule for finding in judge(settings, contract, "2024-12-10", {"pairs": path}).findings}


def test_every_rule_on_the_links_can_say_no(settings, tmp_path) -> None:
    assert verdict(settings, tmp_path, GOOD) == set()
    suite = load_suite(suite_file(settings.expectations, "person_links", "pairs"))
    assert {rule.meta.code for rule in suite.expectations} == set(BROKEN)
    for code, pairs in BROKEN.items():
        assert code in verdict(settings, tmp_path, pairs), code


def test_no_contract_has_a_domain_that_would_join_registers() -> None:
    """A linking number's domain belongs to one source alone; kinds of numbers are no domains."""
    owners: dict[str, set[str]] = {}
    keys, domains = set(), set()
    for path in sorted((REPOSITORY / "data/contracts").glob("*.yml")):
        for entity in yaml.safe_load(path.read_text(encoding="utf-8"))["entities"].values():
            for column in entity["columns"]:
                if column.get("sensitivity") == "identifier":
                    domains.add(column.get("domain", path.stem))
                    if "links" in column:
                        keys.add(column["links"])
                        owners.setdefault(column.get("domain", path.stem), set()).add(path.stem)
    assert {domain: names for domain, names in owners.items() if len(names) > 1} == {}
    assert keys & domains == set()
