"""What the measurement of the gate rests on: which columns go with others, and which rules no mutant can trip."""

from dataclasses import replace
from pathlib import Path
from random import Random

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.gates.suites import load_suite
from hims_pipeline.settings import REPOSITORY
from tests.mutants.honest import follow
from tests.mutants.kinds import CLASSES
from tests.mutants.kinds.columns import shuffle_values
from tests.mutants.kinds.persons import sexes_mostly_of_men
from tests.mutants.sheets import Sheet
from tests.mutants.ties import find_tie, tell_equivalent, tell_unseen

MUTANTS = REPOSITORY / "tests/mutants"


def made_sheet() -> Sheet:
    """Students whose level follows their age, and whose scholarship follows nothing."""
    contract, dice = load_contracts(REPOSITORY / "data")["students_abroad"], Random(7)  # noqa: S311
    rows = []
    for number in range(600):
        year = dice.randrange(1994, 2005)
        rows.append({
            "NUM_DOSSIER": f"{number:08}", "CIN": "", "SEXE": dice.choice("MF"), "ANNEE_NAISSANCE": str(year),
            "PAYS": dice.choice(("France", "Allemagne", "Canada")), "BOURSE": dice.choice("ON"),
            "NIVEAU": "L" if year > 2001 else "M" if year > 1997 else "D",
        })  # fmt: skip
    return Sheet(contract, "students", "2022", rows, Path(), True, roles_of(contract, "students", "2022"))


def test_a_column_that_goes_with_another_is_told_from_one_that_goes_with_none() -> None:
    sheet = made_sheet()
    assert find_tie(sheet, "NIVEAU") == "ANNEE_NAISSANCE"
    assert find_tie(sheet, "BOURSE") is None


def test_only_what_leaves_no_trace_is_equivalent() -> None:
    sheet, dice = made_sheet(), Random(8)  # noqa: S311
    assert tell_equivalent(sheet, shuffle_values(sheet.copy(), "NIVEAU", dice)) == ""
    assert "BOURSE goes with no other" in tell_equivalent(sheet, shuffle_values(sheet.copy(), "BOURSE", dice))


def test_a_mutant_within_what_good_deliveries_show_is_told_as_such() -> None:
    sheet, dice = made_sheet(), Random(9)  # noqa: S311
    of_men = sexes_mostly_of_men(sheet.copy(), dice)
    few_women = replace(sheet, period="2021", rows=[row for row in sheet.rows if row["SEXE"] == "M"] + sheet.rows[:50])
    assert tell_unseen("sexes_mostly_of_men", sheet, of_men, [sheet]) == ""
    assert "delivery of 2021" in tell_unseen("sexes_mostly_of_men", sheet, of_men, [few_women, sheet])
    fewer = replace(sheet, rows=sheet.rows[:480])
    assert tell_unseen("fifth_missing", sheet, fewer, [sheet]) == ""  # a stock does not lose a fifth


def test_what_did_not_take_place_is_in_no_list_of_a_delivery() -> None:
    contract = load_contracts(REPOSITORY / "data")["placements_atct"]
    lists = {}
    for name, numbers in (("placements", range(10)), ("cooperants", range(5, 30))):
        rows = [{"N° contrat": f"C2024-{number:06}", "CIN": f"{number:08}"} for number in numbers]
        lists[name] = Sheet(contract, name, "2024", rows, Path(), False, roles_of(contract, name, "2024"))
    clean = lists["placements"]
    (followed,) = follow(replace(clean, rows=clean.rows[:7]), clean, [lists["cooperants"]])
    assert len(followed.rows) == 22
    assert follow(clean, clean, [lists["cooperants"]]) == []


def test_reasons_are_about_rules_that_there_are() -> None:
    suites = [load_suite(path) for path in (REPOSITORY / "expectations").glob("*__*.json")]
    codes = {one.meta.code for suite in suites for one in suite.expectations}
    reasons = read_yaml(MUTANTS / "reasons.yml")
    assert set(reasons) <= codes
    assert all(len(reason) > 30 for reason in reasons.values())


def test_what_survives_is_a_mutant_of_an_entity_and_has_its_reason() -> None:
    contracts = load_contracts(REPOSITORY / "data")
    entities = {f"{source}/{name}" for source, contract in contracts.items() for name in contract.entities}
    kinds = {name for mutations in CLASSES.values() for name in mutations}
    survivors = read_yaml(MUTANTS / "survivors.yml")
    named = [key.split(" of ") for key in survivors]
    assert survivors
    assert {name for name, _ in named} <= kinds
    assert {of for _, of in named} <= entities
    assert all(len(reason) > 30 for reason in survivors.values())
