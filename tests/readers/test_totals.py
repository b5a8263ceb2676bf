"""Control totals that a sender gives with a file: compared first, and without them the verdict says so."""

import hashlib

import pytest
from click.testing import CliRunner

from hims_pipeline.cli import main
from hims_pipeline.lake.completeness import describe_missing
from tests.reporting.conftest import csv, deliver, rows, settings  # noqa: F401 - fixtures

TEXT = csv(rows(100))
SHA = hashlib.sha256(TEXT.encode()).hexdigest()
AGES = sum(row[2] for row in rows(100))


def codes(verdict) -> list[str]:
    return [one.rule for one in verdict.reasons]


def test_without_totals_transport_was_not_checked(deliver) -> None:  # noqa: F811
    _, verdict = deliver(TEXT)
    assert (verdict.status, verdict.transport) == ("accepted", "not checked")


@pytest.mark.parametrize(
    "sidecar",
    [
        {"yml": f"sha256: {SHA}\npeople:\n  rows: 100\n  sums: {{age: {AGES}}}\n"},
        {"yml": f"sha256: {SHA.upper()}\npeople: {{rows: 100, sums: {{age: }}}}\n"},
        {"csv": f"table;what;column;value\n;sha256;;{SHA}\npeople;rows;;1 00\npeople;sum;age;{AGES},0\n"},
        {"csv": f"\ufefftable,what,column,value\r\npeople,sum,age,{AGES}\r\npeople,rows,,\r\n"},
    ],
)
def test_totals_that_hold_are_told(deliver, sidecar) -> None:  # noqa: F811
    _, verdict = deliver(TEXT, **sidecar)
    assert (codes(verdict), verdict.status, verdict.transport) == ([], "accepted", "checked")


@pytest.mark.parametrize(
    ("sidecar", "rule"),
    [
        ({"yml": f"sha256: {SHA[::-1]}\n"}, "ENVELOPE-TOTALS-SHA256"),
        ({"yml": "people: {rows: 101}\n"}, "TOTALS-ROWS"),
        ({"yml": f"people: {{sums: {{age: {AGES + 1}}}}}\n"}, "TOTALS-SUM"),
        ({"csv": "table;what;column;value\npeople;rows;;99\n"}, "TOTALS-ROWS"),
        ({"yml": "people: {rows: Ben Salah}\n"}, "ENVELOPE-TOTALS"),
        ({"yml": "people: {rows: [1, 2]}\n"}, "ENVELOPE-TOTALS"),
        ({"yml": "Ben_Salah: {rows: 3}\n"}, "ENVELOPE-TOTALS"),
        ({"yml": "people: {sums: {sex: 3}}\n"}, "ENVELOPE-TOTALS"),
        ({"yml": "people: {rows: NaN}\n"}, "ENVELOPE-TOTALS"),
        ({"yml": "people: {rows: }\n"}, "ENVELOPE-TOTALS"),
        ({"yml": "{{"}, "ENVELOPE-TOTALS"),
        ({"csv": "a;b\n1;2\n"}, "ENVELOPE-TOTALS"),
        ({"csv": "table;what;column;value\npeople;rows;;1.000,5\n"}, "ENVELOPE-TOTALS"),
        ({"yml": "x: " * 600_000}, "ENVELOPE-TOTALS"),
    ],
)
def test_totals_that_do_not_hold_refuse(deliver, sidecar, rule) -> None:  # noqa: F811
    _, verdict = deliver(TEXT, **sidecar)
    assert codes(verdict) == [rule]
    assert verdict.status == "refused"
    assert "Salah" not in str(verdict.as_json())


def test_a_sidecar_waits_for_its_file(settings) -> None:  # noqa: F811
    from hims_pipeline.contracts.load import load_contracts

    contract = load_contracts(settings.data)["arrivals"]
    assert contract.takers("people.csv.totals.csv", "2023") == []
    assert "waiting for the file that these totals are of" in describe_missing(
        contract, "2023", ["p.csv.totals.yml"], []
    )
    assert describe_missing(contract, "2023", ["p.csv", "p.csv.totals.yml"], []) == ""


def test_template_is_filled_from_the_files_and_read_again(settings, deliver, tmp_path, monkeypatch) -> None:  # noqa: F811
    monkeypatch.setenv("HIMS_HOME", str(settings.home))
    monkeypatch.setenv("HIMS_DATA", str(settings.data))
    monkeypatch.setenv("HIMS_EXPECTATIONS", str(settings.expectations))
    monkeypatch.setenv("HIMS_ENV", "test")
    file = tmp_path / "people.csv"
    file.write_text(TEXT)
    said = CliRunner().invoke(main, ["source", "totals", "arrivals", str(file)], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    written = (tmp_path / "people.csv.totals.yml").read_text()
    assert SHA in written
    again = CliRunner().invoke(main, ["source", "totals", "arrivals", str(file)])
    assert again.exit_code == 1
    assert "is there already" in again.output
    _, verdict = deliver(TEXT, yml=written.replace("rows:", "rows: 100", 1))
    assert (verdict.status, verdict.transport) == ("accepted", "checked")
    plain = CliRunner().invoke(main, ["source", "totals", "arrivals"])
    assert "people:" in plain.output
    assert "age:" in plain.output
