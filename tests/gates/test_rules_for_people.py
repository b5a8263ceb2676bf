"""Rules as people read and edit them: in words with what they caught, in a workbook, and tried on what came before."""

import csv as lists
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from hims_pipeline.authoring.rule_trials import try_rules
from hims_pipeline.authoring.rulebook import rules_in_words, show_rules
from hims_pipeline.authoring.threshold_book import read_thresholds, write_thresholds
from hims_pipeline.authoring.thresholds import change, thresholds
from hims_pipeline.cli import main
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.errors import ContractError, HimsError
from hims_pipeline.settings import REPOSITORY
from tests.reporting.conftest import csv, deliver, rows, settings  # noqa: F401 - fixtures


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample's own rules."""
    shutil.copytree(REPOSITORY / "expectations", tmp_path / "rules")
    return tmp_path / "rules"


def edit(path: Path, code: str, what: str, value: object) -> None:
    book = openpyxl.load_workbook(path)
    for row in book.active.iter_rows(min_row=2):
        if (row[1].value, row[2].value) == (code, what):
            row[3].value = value
            book.save(path)
            return
    raise AssertionError(f"no {code} {what}")


def test_every_rule_is_shown_with_what_it_caught(settings, deliver) -> None:  # noqa: F811
    refused, _ = deliver(csv(rows(women=0.1)))
    deliver(csv([*rows(), (9000, "F", 130, "N", "OTHERFAITH")]), "2022")
    contract = load_contracts(settings.data)["arrivals"]
    text = "\n".join(show_rules(settings, "arrivals/people", "fr", ""))
    for rule in rules_in_words(settings, contract, ""):
        assert rule.code in text
    assert "De 30 à 70 % de femmes." in text
    assert "share not between 0.3 and 0.7" in text
    assert f"caught 1 of 2 batches; last {refused.batch}" in text
    assert "caught 0 of 2 batches, 1 rows set aside" in text
    assert "a person may accept a batch against it" in text
    assert "min_value 0, max_value 110" in text
    for wrong in ("nowhere", "arrivals/nothing"):
        with pytest.raises(HimsError):
            list(show_rules(settings, wrong, "en", ""))


def test_workbook_comes_back_as_it_went(sample, tmp_path) -> None:
    for name in ("book.xlsx", "list.csv"):
        number = write_thresholds(sample, tmp_path / name)
        assert number > 200
        assert read_thresholds(sample, tmp_path / name) == []
    before = {path.name: path.read_bytes() for path in sample.glob("*.*")}
    change(sample, thresholds(sample))  # each written to where it was read from
    assert {path.name: path.read_bytes() for path in sample.glob("*.*")} == before


@pytest.mark.parametrize("typed", [0.45, "0,45", " 0,45 ", "45 %", "0.45"])
def test_numbers_as_a_french_excel_leaves_them(sample, tmp_path, typed) -> None:
    book = tmp_path / "book.xlsx"
    write_thresholds(sample, book)
    edit(book, "EPH-PERSON-002", "bound 1", typed)
    edit(book, "limits", "size", "0,5")
    changed = read_thresholds(sample, book)
    assert {(one.code, one.what, one.value) for one in changed} == {
        ("EPH-PERSON-002", "bound 1", 0.45),
        ("limits", "size", 0.5),
    }
    change(sample, changed)
    assert "not between 0.45 and 0.53" in (sample / "argentina_eph__persons.json").read_text()
    text = (sample / "comparisons.yml").read_text()
    assert "\n  size: 0.5\n" in text
    assert "# the same period sent again" in text, "comments stay"
    assert read_thresholds(sample, book) == []


def test_list_saved_by_a_french_excel(sample, tmp_path) -> None:
    path = tmp_path / "list.csv"
    write_thresholds(sample, path)
    rows_read = list(lists.reader(path.open(encoding="utf-8-sig"), delimiter=";"))
    assert any("," in row[3] for row in rows_read[1:])
    for row in rows_read:
        if row[1:3] == ["EPH-PERSON-001", "bound 1"]:
            row[3] = "25 000 000"
    with path.open("w", encoding="cp1252", errors="replace", newline="") as file:
        lists.writer(file, delimiter=";").writerows([row[:5] for row in rows_read])
    (one,) = read_thresholds(sample, path)
    assert (one.code, one.value) == ("EPH-PERSON-001", 25_000_000)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (datetime(2026, 5, 1), "became a day"),
        ("abc", "is no number"),
        ("", "is empty"),
        ("1.000,5", "more than one decimal mark"),
        ("nan", "is no number"),
        (True, "is no number"),
    ],
)
def test_what_is_no_number_changes_nothing(sample, tmp_path, typed, why) -> None:
    book = tmp_path / "book.xlsx"
    write_thresholds(sample, book)
    edit(book, "EPH-PERSON-002", "bound 1", typed)
    with pytest.raises(HimsError, match=why):
        read_thresholds(sample, book)


def test_wrong_books_are_told(sample, tmp_path) -> None:
    write_thresholds(sample, tmp_path / "book.xlsx")
    edit(tmp_path / "book.xlsx", "EPH-HOUSEHOLD-004", "min_value", None)
    (tmp_path / "no.xlsx").write_bytes(b"nothing")
    (tmp_path / "no.csv").write_text("a;b\n")
    for name in ("book.xlsx", "no.xlsx", "no.csv", "gone.xlsx"):
        with pytest.raises(HimsError):
            read_thresholds(sample, tmp_path / name)
    with pytest.raises(HimsError, match="xlsx or"):
        write_thresholds(sample, tmp_path / "book.ods")
    with pytest.raises(HimsError, match="cannot be written"):
        write_thresholds(sample, tmp_path / "nowhere" / "list.csv")


def test_a_change_that_makes_no_suite_is_taken_back(sample) -> None:
    path = sample / "argentina_eph__persons.json"
    before = path.read_text()
    one = next(one for one in thresholds(sample) if one.what == "set_aside")
    with pytest.raises(ContractError):
        change(sample, [replace(one, value=1.5)])
    assert path.read_text() == before


def test_rules_are_tried_on_past_batches_and_nothing_counts(settings, deliver, tmp_path, monkeypatch) -> None:  # noqa: F811
    refused, _ = deliver(csv(rows(women=0.2)))
    accepted, _ = deliver(csv(rows()), "2022")
    suite = settings.expectations / "arrivals__people.json"
    before = suite.read_bytes()
    tried = tmp_path / "arrivals__people.json"
    tried.write_text(suite.read_text().replace("0.3 and 0.7", "0.1 and 0.4"))
    found = {one.batch: one for one in try_rules(settings, tried, None, lambda text: None) if one}
    assert (found[refused.batch].was, found[refused.batch].would_be) == ("refused", "accepted")
    assert found[accepted.batch].broken == ("ARRIVALS-001",)
    assert suite.read_bytes() == before

    for name, value in (("HOME", settings.home), ("DATA", settings.data), ("EXPECTATIONS", settings.expectations)):
        monkeypatch.setenv(f"HIMS_{name}", str(value))
    monkeypatch.setenv("HIMS_ENV", "test")
    book = tmp_path / "book.xlsx"
    hims = CliRunner()
    assert hims.invoke(main, ["gate", "export", str(book)]).exit_code == 0
    edit(book, "ARRIVALS-001", "bound 1", "0,1")
    said = hims.invoke(main, ["gate", "import", "--dry-run", str(book)]).output
    assert "ARRIVALS-001 bound 1: 0.3 -> 0.1" in said
    said = hims.invoke(main, ["gate", "try", str(book)]).output
    assert f"{refused.batch}: refused -> accepted" in said
    assert "1 of 2 batches would come out otherwise" in said
    assert suite.read_bytes() == before
    assert hims.invoke(main, ["gate", "import", str(book)]).exit_code == 0
    assert "0.1 and 0.7" in suite.read_text()
    (tmp_path / "notes.json").write_text("{}")
    assert hims.invoke(main, ["gate", "try", str(tmp_path / "notes.json")]).exit_code == 1
