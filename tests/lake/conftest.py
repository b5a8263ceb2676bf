"""An installation without a run, the contract of a small survey, and ways to send files to it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hims_pipeline.contracts.model import Contract
from hims_pipeline.settings import REPOSITORY, Settings
from tests.northland import CONTRACT


def contract(**period: object) -> Contract:
    record = yaml.safe_load(CONTRACT)
    record["period"] |= period
    return Contract.model_validate(record)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path / "home", env="test")


def sent(folder: Path, text: str, name: str = "north.txt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def drop(settings: Settings) -> Callable[..., Path]:
    """drop(text, name, period) puts a file where others put theirs."""

    def put(text: str, name: str = "north.txt", period: str = "2023") -> Path:
        return sent(settings.landing / "northland_survey" / period, text, name)

    return put
