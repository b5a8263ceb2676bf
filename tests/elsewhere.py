"""Another machine, on another day: threads, memory, time zone, language, order of Python's sets, and the clock. What a
night publishes must be the same there."""

import shutil
import subprocess
from pathlib import Path

SETTINGS = (
    {"HIMS_THREADS": "1", "HIMS_MEMORY_LIMIT": "600MB", "TZ": "Pacific/Chatham"},
    {"HIMS_THREADS": "4", "HIMS_MEMORY_LIMIT": "2GB", "TZ": "America/St_Johns", "LC_ALL": "C"},
    {"HIMS_THREADS": "3", "HIMS_MEMORY_LIMIT": "1GB", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7"},
)
AHEAD_SECONDS = 500 * 86_400 + 41_000  # another year, month, day and half of the day


def other_clock(folder: Path) -> dict[str, str]:
    """Variables of a process and all its children whose clock is ahead; none where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return {}
    library = folder / "clock.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(Path(__file__).with_name("clock.c")), "-ldl"],
        check=True,
    )
    return {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(AHEAD_SECONDS)}
