"""A copy of this repository in which the trials run: nobody's edits meanwhile change what is tried, and the warehouse's
own tests are left out, which write nothing and take two thirds of a night."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from hims_pipeline.settings import REPOSITORY

WITHOUT_TESTS = "\ndata_tests:\n  +enabled: false\nunit_tests:\n  +enabled: false\n"
LEFT_OUT = (".git", ".venv", ".hims", "__pycache__", ".*_cache", "docs")


def go_on_in_a_copy(code: Path, prepared: Path, whole: bool) -> None:
    """Start this program again from a copy of the repository, and end as it ends.

    Args:
        code: where the copy is made.
        prepared: where the prepared installation is, or will be.
        whole: keep the warehouse's tests.
    """
    shutil.copytree(REPOSITORY, code, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    if not whole:
        with (code / "dbt_project/dbt_project.yml").open("a", encoding="utf-8") as project:
            project.write(WITHOUT_TESTS)
    env = os.environ | {"PYTHONPATH": str(code)}
    command = [sys.executable, "-u", "-m", "tests.faults", *sys.argv[1:], "--here", str(prepared)]
    sys.exit(subprocess.run(command, env=env, cwd=code, check=False).returncode)
