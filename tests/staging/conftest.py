"""A database as staging sees it."""

from pathlib import Path

import pytest

from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import connection


@pytest.fixture
def con(tmp_path: Path):
    settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path, env="test")
    with connection(settings) as open_connection:
        yield open_connection
