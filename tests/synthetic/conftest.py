from pathlib import Path

import pytest

from hims_pipeline.settings import REPOSITORY, Settings
from hims_synthetic import BrokenSample, Sample, make_broken, make_samples
from hims_synthetic.broken import SMALL


def settings_at(home: Path) -> Settings:
    return Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", home, env="test")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation of the module's own: deliveries are compared with those before them."""
    return settings_at(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings that samples are made with; nothing is delivered there."""
    return settings_at(tmp_path_factory.mktemp("maker"))


@pytest.fixture(scope="session")
def good(maker: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Sample]:
    """The good sample by source and period."""
    return {one[:2]: one for one in make_samples(maker, tmp_path_factory.mktemp("good"), scale=SMALL)}


@pytest.fixture(scope="session")
def broken(maker: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, BrokenSample]:
    """The broken samples by name."""
    return {one.name: one for one in make_broken(maker, tmp_path_factory.mktemp("broken"))}
