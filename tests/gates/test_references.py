"""References: profiles that stand in for a predecessor, chosen by period, and part of what a verdict rests on."""

from dataclasses import replace
from pathlib import Path

import pytest

from hims_pipeline.contracts.model import Contract
from hims_pipeline.gates import canary_profiles, gate_inputs, judge
from hims_pipeline.gates.comparisons import find_closest
from hims_pipeline.gates.differences import compare_profiles
from hims_pipeline.gates.evidence import Evidence, Subject
from hims_pipeline.gates.predecessor_evidence import Predecessor
from hims_pipeline.gates.profile import Profile, read_profile
from hims_pipeline.gates.references import FOLDER, read_sql, reference_for, reference_name, write_reference
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.intake.predecessors import find_reference
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection, literal

CONTRACT = Contract.model_validate(canary_profiles._SOURCE)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, Path]]:
    """An observatory with a reference of the made register's May, and deliveries of May at twice the scale."""
    folder = tmp_path_factory.mktemp("references")
    settings = Settings(REPOSITORY, REPOSITORY / "data", folder / "expectations", folder / "home")
    settings.expectations.mkdir()
    limits = (REPOSITORY / "expectations" / "comparisons.yml").read_bytes()
    (settings.expectations / "comparisons.yml").write_bytes(limits)
    tables = {name: folder / f"{name}.parquet" for name in ("reviewed", "good", "bad")}
    with connection(settings) as con:
        for name, seed, rows in (("reviewed", 0, 2000), ("good", 777_777, 4000)):
            query = canary_profiles._DRAWN.format(month=5, seed=seed, rows=rows)
            con.execute(f"create table {name} as {query}; copy {name} to {literal(tables[name])} (format parquet)")
        exchanged = "select * replace (case sex when 'M' then 'F' else 'M' end as sex) from good"
        con.execute(f"copy ({exchanged}) to {literal(tables['bad'])} (format parquet)")
    outcome = judge(settings, CONTRACT, "2024-05", {"rows": tables["reviewed"]}, profile_to=folder / "profile.parquet")
    assert outcome.accepted
    with connection(settings) as con:
        profiles = {
            name: [(m, about, key, n) for m in own.at for about in own.at[m] for key, n in own.at[m][about].items()]
            for name, own in read_profile(con, folder / "profile.parquet").items()
        }
        write_reference(con, profiles, settings.expectations / FOLDER / reference_name(CONTRACT, "2024-05"))
    return settings, tables


def test_a_first_delivery_is_judged_beside_the_reference(here) -> None:
    settings, tables = here
    before = find_reference(settings.expectations, CONTRACT, "2024-05", [])
    good = judge(settings, CONTRACT, "2024-05", {"rows": tables["good"]}, before=before)
    assert good.accepted, good.findings
    assert good.compared_with == {"reference/canary/2024-05": before[0].sha256}
    bad = judge(settings, CONTRACT, "2024-05", {"rows": tables["bad"]}, before=before)
    assert "CANARY-ROWS-PROFILE-MORE-WOMEN" in {one.rule for one in bad.findings}


def test_of_another_period_it_stands_in_only_where_nothing_was_accepted(here) -> None:
    settings, _ = here
    known = [Predecessor("canary/2024-04/x", "2024-04", Path("p"), "h")]
    assert [one.batch for one in find_reference(settings.expectations, CONTRACT, "2024-05", known)] == [
        "reference/canary/2024-05"
    ]
    assert find_reference(settings.expectations, CONTRACT, "2024-06", known) == []
    assert find_reference(settings.expectations, CONTRACT, "2024-05", [replace(known[0], period="2024-05")]) == []
    assert reference_for(settings.expectations, CONTRACT, "2023-01")[1] == "2024-05"


def test_what_was_invented_says_nothing_of_what_an_office_sends(here) -> None:
    settings, _ = here
    assert CONTRACT.data_kind == "synthetic"
    sent = CONTRACT.model_copy(update={"data_kind": "real"})
    assert reference_for(settings.expectations, sent, "2024-05") is None
    assert find_reference(settings.expectations, sent, "2024-05", []) == []


def test_of_another_scale_an_employer_has_other_numbers_of_rows_and_a_person_not() -> None:
    columns = [{"name": one, "sensitivity": "identifier"} for one in ("firm", "who")]
    rows = canary_profiles._SOURCE["entities"]["rows"]
    feeds = [{"fact": "permits", "columns": {"employer_id": {"from": "firm"}, "holder_id": {"from": "who"}}}]
    entity = rows | {"columns": [*rows["columns"], *columns], "feeds": feeds}
    contract = Contract.model_validate(canary_profiles._SOURCE | {"entities": {"rows": entity}})
    roles = roles_of(contract, "rows", "2024-05")

    def hold(different: float, is_scaled: bool) -> Subject:
        counts = [
            (what, one, "", n) for one in ("firm", "who") for what, n in (("known", 9e3), ("different", different))
        ]
        return Subject(contract, "rows", "2024-05", Profile(counts), roles, is_scaled)

    def repeated(before: Subject) -> dict[str, float | None]:
        evidence = compare_profiles(hold(2_000, False), before)
        return {one.about: one.value for one in evidence if one.measure == "repeated"}

    scaled, alike = repeated(hold(8_000, True)), repeated(hold(8_000, False))
    assert scaled["firm"] is None
    assert scaled["who"] == alike["who"] == alike["firm"] > 0.6


def test_its_text_says_what_the_profile_said_and_its_change_makes_verdicts_void(here) -> None:
    settings, _ = here
    name, _, path = reference_for(settings.expectations, CONTRACT, "2024-05")
    with connection(settings) as con:
        read = read_profile(con, path, read_sql(path))
    assert (name, read["rows"].number("rows"), read["rows"].counts("digest")) == ("reference/canary/2024-05", 2000, {})
    assert set(read["rows"].counts("values", "sex")) == {"M", "F"}
    before = gate_inputs(settings, CONTRACT, "2024-05")["reference"]
    path.write_text(path.read_text(encoding="utf-8").replace(",2000", ",2001"), encoding="utf-8")
    assert gate_inputs(settings, CONTRACT, "2024-05")["reference"] != before


def test_of_the_same_period_its_word_counts() -> None:
    others, own = [Evidence("size", "", 0.1), Evidence("ages", "age", 0.2)], [Evidence("ages", "age", 0.3)]
    assert find_closest([others, own], own) == [Evidence("size", "", 0.1), Evidence("ages", "age", 0.3)]
