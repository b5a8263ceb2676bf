"""A small world that is built again and again."""

import shutil
from pathlib import Path

import pytest

from hims_pipeline.settings import REPOSITORY, Settings
from tests.carry.world import World


def make_world(folder: Path) -> World:
    (folder / "data").mkdir(parents=True)
    shutil.copyfile(REPOSITORY / "data/observatory.yml", folder / "data/observatory.yml")
    suites = REPOSITORY / "expectations"
    world = World(Settings(REPOSITORY, folder / "data", suites, folder / "home", env="test", threads=1))
    world.sent = {("a", "2020"): [("x", 1), ("y", 2)], ("b", "2020"): [("x", 5)]}
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)
