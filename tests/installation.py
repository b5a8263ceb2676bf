"""Installations of tests' own: their folders, the environment of their commands, and the code that these run."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.settings import REPOSITORY, Settings

WITHOUT_TESTS = "\ndata_tests:\n  +enabled: false\nunit_tests:\n  +enabled: false\n"
LEFT_OUT = (".git", ".venv", ".hims", "__pycache__", ".*_cache", "docs")


@dataclass(frozen=True)
class Installation:
    """One installation in a folder of its own."""

    home: Path
    data: Path = REPOSITORY / "data"
    expectations: Path = REPOSITORY / "expectations"
    real_data: str | None = None
    code: Path = REPOSITORY  # whose commands are run

    @property
    def settings(self) -> Settings:
        return Settings(REPOSITORY, self.data, self.expectations, self.home, env="test")

    @property
    def environment(self) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HIMS_", "DAGSTER_"))}
        env |= {"HIMS_HOME": str(self.home), "HIMS_DATA": str(self.data), "HIMS_EXPECTATIONS": str(self.expectations)}
        env |= {"HIMS_ENV": "test"} | ({"HIMS_REAL_DATA": self.real_data} if self.real_data else {})
        return env | ({"PYTHONPATH": str(self.code)} if self.code != REPOSITORY else {})

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "hims_pipeline.cli", *words]

    def hims(self, *words: str, check: bool = True) -> str:
        """Run `hims …`; returns what it printed."""
        done = subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


def copy_repository(target: Path, with_tests: bool) -> Path:
    """A copy of this repository, in which nobody's edits change what runs; returns where it is.

    Args:
        with_tests: keep the warehouse's own tests, which write nothing and take two thirds of a small night.
    """
    shutil.copytree(REPOSITORY, target, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    if not with_tests:
        with (target / "dbt_project/dbt_project.yml").open("a", encoding="utf-8") as project:
            project.write(WITHOUT_TESTS)
    return target
