"""One delivery of the synthetic sample, as the writers of sources give it."""

from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """Files of one source and period."""

    source: str
    period: str
    files: list[Path]
