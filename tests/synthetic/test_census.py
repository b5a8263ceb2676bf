"""Waves of the census in formats of their own, and the emigrants' module: each rule about them is broken here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hims_pipeline import intake
from hims_pipeline.lake import landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.settings import Settings
from hims_synthetic import Sample

Good = dict[tuple[str, str], Sample]
Lines = list[str]


def verdict_on(settings: Settings, period: str, files: list[Path], source: str = "rgph") -> Verdict:
    contract = intake.contract_of(settings, source)
    with installation_lock(settings, "test"):
        delivery, _ = landing.take_over(settings, contract, period, files)
        return intake.take_in(settings, delivery, lambda text: None)


@pytest.mark.parametrize("period", ["1994", "2004"])
def test_waves_of_fixed_places_are_accepted_without_a_warning(settings: Settings, good: Good, period: str) -> None:
    verdict = verdict_on(settings, period, good["rgph", period].files)
    assert (verdict.status, verdict.findings) == ("accepted", ())


def test_before_2000_one_governorate_was_not_there(good: Good) -> None:
    rows = next(file for file in good["rgph", "1994"].files if file.suffix == ".txt").read_text().splitlines()
    assert len(rows) == 8785
    assert len({row[10:12] for row in rows}) == 23
    assert not [row for row in rows if row[10:12] == "14"]


def _ariana_split(lines: Lines) -> Lines:
    """Every second household of code 12 gets the code of today."""
    return [f"{line[:10]}14{line[12:]}" if line[10:12] == "12" and int(line[7]) % 2 else line for line in lines]


def _aged(first: int, last: int) -> Callable[[Lines], Lines]:
    """Without those of these ages."""
    return lambda lines: [line for line in lines if not first <= int(line[14:17]) <= last or line[12] == "1"]


def _emigrants(column: int, value: str, every: int = 1) -> Callable[[Lines], Lines]:
    def change(lines: Lines) -> Lines:
        rows = [line.split(",") for line in lines]
        for row in rows[1::every]:
            row[column] = value
        return [",".join(row) for row in rows]

    return change


FAULTS = {
    "RGPH-PERSONS-GOVERNORATE-XWALK": ("1994", ".txt", _ariana_split, True),
    "RGPH-PERSON-014": ("1994", ".txt", lambda lines: [line for line in lines if line[10:12] != "63"], True),
    "RGPH-PERSON-016": ("1994", ".txt", _aged(0, 14), True),
    "RGPH-EMIGRANT-001": ("2024", "emigrants", _emigrants(6, "2012", every=40), True),
    "RGPH-EMIGRANT-002": ("2024", "emigrants", _emigrants(3, "F", every=2), True),
    "RGPH-EMIGRANT-003": ("2024", "emigrants", _emigrants(5, "TUN", every=100), True),
    "RGPH-EMIGRANT-004": ("2024", "emigrants", lambda lines: lines[:15], True),
    "RGPH-EMIGRANT-005": ("2024", "emigrants", _emigrants(6, "2023"), True),
    "RGPH-EMIGRANTS-ORPHANS-PERSONS": ("2024", "emigrants", _emigrants(0, "99999999", every=50), True),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_caught_by_its_rule(settings: Settings, good: Good, tmp_path: Path, rule: str) -> None:
    period, name, change, refused = FAULTS[rule]
    files = []
    for file in good["rgph", period].files:
        if name in file.name:
            lines = change(file.read_text(encoding="utf-8").splitlines())
            (tmp_path / file.name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            file = tmp_path / file.name
        files.append(file)
    verdict = verdict_on(settings, period, files)
    assert [one for one in verdict.findings if one.rule.startswith(rule)], verdict.findings
    assert verdict.status == ("refused" if refused else "accepted")


FIFTH_FAULTS: dict[str, Callable[[Lines], Lines]] = {
    "RGPH-FIFTH-001": lambda lines: [
        lines[0],
        *(f"{line[:2]}{number:06}{line[8:]}" for number, line in enumerate(lines[1:])),
    ],
    "RGPH-FIFTH-002": lambda lines: [line for line in lines if line.split(";")[2] != "63"],
    "RGPH-FIFTH-003": lambda lines: [line for line in lines if line.split(";")[1] != "1"],
}


def test_one_household_in_five_is_accepted_without_a_warning(settings: Settings, good: Good) -> None:
    verdict = verdict_on(settings, "2014", good["rgph_one_in_five", "2014"].files, "rgph_one_in_five")
    assert (verdict.status, verdict.findings) == ("accepted", ())


@pytest.mark.parametrize("rule", FIFTH_FAULTS)
def test_a_fault_of_the_fifth_is_caught_by_its_rule(settings: Settings, good: Good, tmp_path: Path, rule: str) -> None:
    [sent] = good["rgph_one_in_five", "2014"].files
    lines = FIFTH_FAULTS[rule](sent.read_text(encoding="utf-8").splitlines())
    file = tmp_path / sent.name
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    verdict = verdict_on(settings, "2014", [file], "rgph_one_in_five")
    assert rule in {one.rule for one in verdict.findings}, verdict.findings
    assert verdict.status == "refused"
