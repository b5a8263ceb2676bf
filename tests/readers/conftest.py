"""Deliveries of a small source, made in a temporary folder and read as they would be in a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hims_pipeline.contracts.model import Contract
from hims_pipeline.lake.landing import take_over
from hims_pipeline.lake.verdict import Finding
from hims_pipeline.readers import ReadResult, read_delivery
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import read_parquet
from tests.contracts.made import contract_of

COLUMNS = (
    {"name": "id", "type": "integer"},
    {"name": "name", "type": "text"},
    {"name": "birth", "type": "date"},
    {"name": "weight", "type": "decimal", "scale": 4},
)


def make_contract(columns: Sequence[dict[str, Any]] = COLUMNS, **changes: Any) -> Contract:
    """A contract with one entity, `people`; `entity`, `entities` and any field of a contract can be replaced."""
    entity = changes.pop("entity", {})
    return contract_of(list(columns), changes, **entity)


def make_settings(home: Path, **changes: Any) -> Settings:
    return Settings(
        **{"project": REPOSITORY, "data": home / "data", "expectations": home / "expectations", "home": home, **changes}
    )


@dataclass(frozen=True)
class Read:
    """What `read_delivery` returned and where it wrote."""

    result: ReadResult
    settings: Settings
    folder: Path
    said: list[str]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.result.findings

    @property
    def rules(self) -> list[str]:
        return [finding.rule for finding in self.result.findings]

    @property
    def text(self) -> str:
        return "\n".join(finding.full_text() for finding in self.result.findings)

    def sql(self, what: str, entity: str = "people") -> list[tuple[Any, ...]]:
        with duckdb.connect() as con:
            source = read_parquet(self.result.entities[entity].paths(self.folder))
            return con.execute(f"select {what} from {source}").fetchall()

    def rows(self, entity: str = "people") -> list[tuple[Any, ...]]:
        return self.sql("*", entity)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    """read({name: bytes}, columns, **contract) takes the files as one delivery and reads it."""
    count = 0

    def run(files: dict[str, bytes | Path], columns: Sequence[dict[str, Any]] = COLUMNS, **changes: Any) -> Read:
        nonlocal count
        count += 1
        home = tmp_path / f"home-{count}"
        settings = make_settings(home, **changes.pop("settings", {}))
        period = changes.pop("period_read", "2024")
        contract = make_contract(columns, **changes)
        sent = []
        for name, content in files.items():
            path = home / "sent" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
            sent.append(path)
        delivery, _ = take_over(settings, contract, period, sent)
        folder = settings.bronze / delivery.source / delivery.period / delivery.id
        folder.mkdir(parents=True)
        said: list[str] = []
        return Read(read_delivery(settings, contract, delivery, folder, said.append), settings, folder, said)

    return run


@pytest.fixture
def contract_for() -> Callable[..., Contract]:
    return make_contract


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    return make_settings
