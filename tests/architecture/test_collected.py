"""Tests that are never run are worse than none."""

from fnmatch import fnmatch

import pytest

from hims_pipeline.settings import REPOSITORY

TESTS = REPOSITORY / "tests"


def test_pytest_passes_over_no_folder_with_tests_in_it(request: pytest.FixtureRequest) -> None:
    """By default it does not look into folders of some names, `build` and `dist` among them, and does not say so."""
    passed_over = request.config.getini("norecursedirs")
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    assert len(folders) > 20
    assert [str(one) for one in folders if any(fnmatch(part, glob) for part in one.parts for glob in passed_over)] == []
