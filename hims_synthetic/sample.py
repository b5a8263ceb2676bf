"""One delivery of the synthetic country. Not here: making one."""

from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """What one source sends for one period."""

    source: str
    period: str
    files: list[Path]
