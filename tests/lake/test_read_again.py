"""What is done again when something changed that a verdict rests on: read, judged, or nothing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from hims_pipeline import intake, readers
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.lake import batches, landing
from hims_pipeline.lake.landing import Delivery
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.lake.verdict import Verdict
from hims_pipeline.provenance import Provenance
from hims_pipeline.settings import Settings
from tests.lake.test_tampering import SUITE, flip
from tests.linkage.conftest import installation

# Modules by name: their packages have functions of the same name.
GATE, READER = import_module("hims_pipeline.gates.inputs"), import_module("hims_pipeline.intake.pending")
TEXTS = {
    "2022": "cin,passport_no\n90000001\n",  # a field too few: refused before the gate
    "2023": "cin,passport_no\n" + "90000001,\n" * 9,  # more rows than the suite allows
    "2024": "cin,passport_no,more\n90000001,,1\n90000002,,2\n",  # accepted, with a word on a column too many
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A register with a delivery that was refused while it was read, one that the gate refused, and an accepted one."""
    settings = installation(tmp_path_factory.mktemp("made"))
    (settings.expectations / "census__people.json").write_text(json.dumps(SUITE), encoding="utf-8")
    contract = settings.data / "contracts/census.yml"
    contract.write_text(contract.read_text() + "format: {type: delimited, header: by_name}\n", encoding="utf-8")
    file = settings.home / "sent/census.csv"
    file.parent.mkdir(parents=True)
    for period, text in TEXTS.items():
        file.write_text(text, encoding="utf-8")
        with installation_lock(settings, "test"):
            landing.take_over(settings, load_contracts(settings.data)["census"], period, [file])
    assert {period: (one.stage, one.status) for period, one in take_in_pending(settings).items()} == {
        "2022": ("envelope", "refused"),
        "2023": ("gate", "refused"),
        "2024": ("gate", "accepted"),
    }
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    for folder in ("data", "expectations", "home"):
        shutil.copytree(made.home.parent / folder, tmp_path / folder)
    return replace(made, data=tmp_path / "data", expectations=tmp_path / "expectations", home=tmp_path / "home")


def pending_periods(settings: Settings) -> list[str]:
    return [one.delivery.period for one in intake.find_pending(settings)]


def take_in_pending(settings: Settings) -> dict[str, Verdict]:
    with installation_lock(settings, "test"):
        return {
            one.delivery.period: intake.take_in(settings, one.delivery, lambda text: None)
            for one in intake.find_pending(settings)
        }


def other_gate(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GATE, "provenance_of", lambda *entries: Provenance("other", {}))


def other_suite(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = settings.expectations / "census__people.json"
    path.write_text(path.read_text().replace('"max_value": 5', '"max_value": 50'), encoding="utf-8")


def other_reader(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(READER, "provenance_of", lambda *entries: Provenance("other", {}))


def other_library(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    was = READER.provenance_of
    monkeypatch.setattr(READER, "provenance_of", lambda *entries: replace(was(*entries), versions={"duckdb": "9"}))


def other_time_zone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = settings.data / "observatory.yml"
    zones = [line for line in path.read_text().splitlines() if line.startswith("time_zone:")]
    path.write_text(path.read_text().replace(zones[0], "time_zone: Asia/Tokyo"), encoding="utf-8")


def count_readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    real = readers.read_delivery

    def read(settings: Settings, contract, delivery: Delivery, target: Path, log: Callable):
        found.append(delivery.period)
        return real(settings, contract, delivery, target, log)

    monkeypatch.setattr(readers, "read_delivery", read)
    return found


@pytest.mark.parametrize("change", [other_gate, other_suite])
def test_what_the_gate_does_is_done_again_on_what_was_read(settings, monkeypatch, change: Callable) -> None:
    accepted = next(one for one in landing.deliveries(settings) if one.period == "2024")
    folder = batches.folder_of(settings.validated, accepted)
    [file] = folder.glob("*.parquet")
    before, told = file.stat().st_mtime_ns, batches.read_verdict(settings, folder).found_in_reading
    assert told
    change(settings, monkeypatch)
    read = count_readings(monkeypatch)
    assert pending_periods(settings) == ["2023", "2024"]  # the gate had no part in what was refused before it
    verdicts = take_in_pending(settings)
    assert read == []
    assert verdicts["2023"].status == ("accepted" if change is other_suite else "refused")
    assert verdicts["2024"].accepted
    assert verdicts["2024"].found_in_reading == told
    assert file.stat().st_mtime_ns == before
    assert pending_periods(settings) == []


@pytest.mark.parametrize("change", [other_reader, other_library, other_time_zone])
def test_what_is_read_otherwise_is_read_again(settings, monkeypatch, change: Callable) -> None:
    change(settings, monkeypatch)
    read = count_readings(monkeypatch)
    take_in_pending(settings)
    assert read == list(TEXTS)
    assert pending_periods(settings) == []


def test_what_was_read_and_is_not_whole_is_read_again(settings, monkeypatch) -> None:
    other_gate(settings, monkeypatch)
    refused, accepted = (one for one in landing.deliveries(settings) if one.period != "2022")
    flip(next(batches.folder_of(settings.validated, accepted).glob("*.parquet")))
    (batches.folder_of(settings.quarantine, refused) / batches.MANIFEST).unlink()
    read = count_readings(monkeypatch)
    take_in_pending(settings)
    assert read == ["2023", "2024"]
    assert pending_periods(settings) == []
