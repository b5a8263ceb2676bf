"""A build of two sources that is ready for dbt."""

import shutil
from collections.abc import Iterator

import pytest

from hims_pipeline import build
from hims_pipeline.settings import Settings


@pytest.fixture
def settings(small_night) -> Settings:
    """Of an installation whose last build is not kept: what a stand-in builds is empty, and would differ from it."""
    settings = small_night[0].settings
    shutil.rmtree(settings.kept, ignore_errors=True)
    return settings


@pytest.fixture
def prepared(settings: Settings) -> Iterator[build.Build]:
    made = build.prepare(settings, "a-run", full=True)
    yield made
    build.discard_build(made.folder)
    shutil.rmtree(settings.build, ignore_errors=True)
