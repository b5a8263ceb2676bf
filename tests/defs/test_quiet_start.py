"""What a quiet night must not load: each of these takes a second or a hundred megabytes, and none of them is asked."""

import subprocess
import sys

UNASKED = ("altair", "dbt", "great_expectations", "pandas", "pyreadstat", "scipy", "vl_convert")
LOADS = f"""
import sys
import hims_pipeline.cli, hims_pipeline.defs.assembly, hims_pipeline.defs.execution
print([name for name in {UNASKED!r} if name in sys.modules])
import dbt.version
"""


def test_a_night_loads_nothing_that_a_quiet_one_does_not_ask() -> None:
    """And dbt itself can be imported all the same."""
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
