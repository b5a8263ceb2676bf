"""`data/deliveries.yml`: real public files to run on, one line a delivery, found below the folder of HIMS_REAL_DATA."""

from pathlib import Path

from hims_pipeline.contracts.load import parse
from hims_pipeline.contracts.model import Strict


class PinnedDelivery(Strict):
    source: str
    period: str
    files: tuple[str, ...]
    note: str = ""


class Pinned(Strict):
    deliveries: tuple[PinnedDelivery, ...]


def load_deliveries(data: Path) -> tuple[PinnedDelivery, ...]:
    return parse(Pinned, data / "deliveries.yml").deliveries
