"""What the measurement of the gate rests on: which columns go with others, and which rules no mutant can trip."""

from pathlib import Path
from random import Random

from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.records import read_yaml
from hims_pipeline.gates.roles import roles_of
from hims_pipeline.gates.suites import load_suite
from hims_pipeline.settings import REPOSITORY
from tests.mutants.kinds.columns import shuffle_values
from tests.mutants.sheets import Sheet
from tests.mutants.ties import find_tie, tell_equivalent

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


def test_reasons_are_about_rules_that_there_are() -> None:
    suites = [load_suite(path) for path in (REPOSITORY / "expectations").glob("*__*.json")]
    codes = {one.meta.code for suite in suites for one in suite.expectations}
    reasons = read_yaml(MUTANTS / "reasons.yml")
    assert set(reasons) <= codes
    assert all(len(reason) > 30 for reason in reasons.values())
