"""An installation with small registers that can be linked, and the contract of the links."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hims_pipeline import intake, linkage
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.gates.suites import suite_file
from hims_pipeline.lake import batches, landing
from hims_pipeline.lake.lock import installation_lock
from hims_pipeline.privacy.keys import create_key
from hims_pipeline.settings import REPOSITORY, Settings

REGISTER = """
source: {name}
title: {{en: Register}}
description: For tests.
data_kind: {kind}
personal: true
owner: {{institution: none, contact: none}}
licence: {{name: none, attribution: none, redistributable: true}}
purpose: tests
legal: {{basis: none, retention_years: 1}}
cadence: annual
period: {{pattern: year}}
clock: none
universe: registered_persons
duration_rule: NONE
measure_type: stock
entities:
  people:
    title: {{en: Persons}}
    grain: a person
    files: ["*.csv"]
    columns:
      - {{name: cin, pattern: "[0-9]{{8}}", sensitivity: identifier, domain: {name}_number, links: national_id}}
      - {{name: passport_no, sensitivity: identifier, domain: {name}_passport, may_be_empty: true}}
"""


def installation(tmp_path: Path) -> Settings:
    """Three registers; one of them, `payroll`, is of real persons."""
    data = tmp_path / "data"
    (data / "contracts").mkdir(parents=True)
    for name, kind in (("census", "synthetic"), ("consulate", "synthetic"), ("payroll", "real")):
        (data / "contracts" / f"{name}.yml").write_text(REGISTER.format(name=name, kind=kind), encoding="utf-8")
    shutil.copy(REPOSITORY / "data/contracts/person_links.yml", data / "contracts")
    for folder in ("codelists", "indicators"):
        shutil.copytree(REPOSITORY / "data" / folder, data / folder)
    shutil.copy(REPOSITORY / "data/observatory.yml", data)
    (tmp_path / "expectations").mkdir()
    shutil.copy(suite_file(REPOSITORY / "expectations", "person_links", "pairs"), tmp_path / "expectations")
    return Settings(REPOSITORY, data, tmp_path / "expectations", tmp_path / "home", env="test")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Three registers; one of them, `payroll`, is of real persons."""
    return installation(tmp_path)


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installation under a key of its own, `first`: two registers, read and linked. To be copied."""
    folder = tmp_path_factory.mktemp("linked")
    create_key(folder / "first")
    own = replace(installation(folder), key_file=folder / "first")
    send(own, "census", ["90000001", "90000002"])
    send(own, "consulate", ["90000001"])
    link(own)
    return folder


@pytest.fixture
def keyed(linked: Path, tmp_path: Path) -> Settings:
    """A copy of it of the test's own, and a `second` key."""
    place = tmp_path / "copy"
    shutil.copytree(linked, place)
    create_key(place / "second")
    own = Settings(REPOSITORY, place / "data", place / "expectations", place / "home", env="test")
    return replace(own, key_file=place / "first")


def send(settings: Settings, source: str, rows: list[str], period: str = "2024") -> landing.Delivery:
    """Deliver a register, a row each `number` or `number,passport`, and take it in."""
    file = settings.home / "sent" / f"{source}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if "," in row else f"{row}," for row in rows]
    file.write_text("".join(f"{line}\n" for line in ("cin,passport_no", *lines)), encoding="utf-8")
    with installation_lock(settings, "test"):
        delivery, _ = landing.take_over(settings, load_contracts(settings.data)[source], period, [file])
        assert intake.take_in(settings, delivery, lambda text: None).status == "accepted"
    return delivery


def link(settings: Settings) -> list[landing.Delivery]:
    """Link and judge as the night does; the deliveries of links that count."""
    with installation_lock(settings, "test"):
        linkage.link_registers(settings)
        for one in intake.find_pending(settings, linkage.SOURCE):
            verdict = intake.take_in(settings, one.delivery, lambda text: None)
            assert verdict.status == "accepted", verdict.findings
    contract = load_contracts(settings.data)[linkage.SOURCE]
    known = landing.deliveries(settings, linkage.SOURCE)
    names = {batch.manifest.batch for batch in batches.find_current_batches(settings, contract, known)}
    return [one for one in known if one.batch in names]
