"""What the checks of `data/` read: its files as they are, and the real deliveries read into a scratch folder."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hims_pipeline.contracts.deliveries import load_deliveries
from hims_pipeline.contracts.load import load_contracts
from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake import landing
from hims_pipeline.readers import ReadResult, read_delivery
from hims_pipeline.settings import REPOSITORY, Settings, load_settings

Row = dict[str, str]


@pytest.fixture(scope="session")
def data() -> Path:
    return REPOSITORY / "data"


@pytest.fixture(scope="session")
def contracts(data: Path) -> dict[str, Contract]:
    return load_contracts(data)


def read_rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def codelist(data: Path) -> Callable[[str], list[Row]]:
    """Rows of a code list by its name."""
    return lambda name: read_rows(data / "codelists" / f"{name}.csv")


@pytest.fixture(scope="session")
def controls(data: Path) -> Callable[[str], list[Row]]:
    """Rows of a file of control figures by its name."""
    return lambda name: read_rows(data / "controls" / f"{name}.csv")


@pytest.fixture(scope="session")
def definitions(codelist: Callable[[str], list[Row]]) -> set[tuple[str, str]]:
    return {(row["kind"], row["code"]) for row in codelist("definitions")}


@dataclass(frozen=True)
class RealDelivery:
    """A real delivery as the readers left it; `tables` is empty where it was refused."""

    settings: Settings
    contract: Contract
    period: str
    result: ReadResult
    tables: dict[str, list[Path]]


@pytest.fixture(scope="session")
def real(contracts: dict[str, Contract], tmp_path_factory: pytest.TempPathFactory) -> dict[str, RealDelivery]:
    """The real deliveries of `data/deliveries.yml`, by source and period."""
    settings = load_settings()
    if settings.real_data is None:
        pytest.skip("HIMS_REAL_DATA names no folder of real deliveries")
    settings = replace(settings, home=tmp_path_factory.mktemp("home"), env="test")
    found = {}
    for pinned in load_deliveries(settings.data):
        contract = contracts[pinned.source]
        files = [settings.real_data / name for name in pinned.files]
        delivery, _ = landing.take_over(settings, contract, pinned.period, files)
        target = tmp_path_factory.mktemp(pinned.source)
        result = read_delivery(settings, contract, delivery, target, lambda text: None)
        tables = {name: entity.paths(target) for name, entity in result.entities.items()}
        found[f"{pinned.source}/{pinned.period}"] = RealDelivery(settings, contract, pinned.period, result, tables)
    return found
