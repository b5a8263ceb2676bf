from pathlib import Path

import pytest

from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.synthetic import BrokenSample, Sample, make_broken, make_samples
from hims_pipeline.synthetic.broken import SMALL


def settings_at(home: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_at(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def good(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Sample]:
    """The good sample by source and period."""
    return {one[:2]: one for one in make_samples(settings, tmp_path_factory.mktemp("good"), scale=SMALL)}


@pytest.fixture(scope="session")
def broken(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, BrokenSample]:
    """The broken samples by name."""
    return {one.name: one for one in make_broken(settings, tmp_path_factory.mktemp("broken"))}
