"""`data/deliveries.yml`: real public files to run on, one line a delivery, found below the folder of HIMS_REAL_DATA,
and those that are kept in `data/`."""

from pathlib import Path

from hims_pipeline.contracts.basics import Strict
from hims_pipeline.contracts.yaml_records import parse_record


class PinnedDelivery(Strict):
    """One public delivery: its source, its period and its files with their hashes."""

    source: str
    period: str
    files: tuple[str, ...]
    note: str = ""

    def at(self, folder: Path) -> tuple[str, str, list[Path]]:
        """Source, period and files, which lie below a folder."""
        return self.source, self.period, [folder / name for name in self.files]


class Pinned(Strict):
    """The file `deliveries.yml`."""

    deliveries: tuple[PinnedDelivery, ...] = ()
    kept: tuple[PinnedDelivery, ...] = ()


def load_deliveries(data: Path) -> tuple[PinnedDelivery, ...]:
    """The public deliveries that `data/deliveries.yml` lists, in its order; none where there is no file."""
    return _load(data).deliveries


def load_kept(data: Path) -> tuple[PinnedDelivery, ...]:
    """Deliveries whose files people keep in `data/` itself; paths are relative to it."""
    return _load(data).kept


def _load(data: Path) -> Pinned:
    """The list; empty where an observatory keeps none."""
    path = data / "deliveries.yml"
    return parse_record(Pinned, path) if path.exists() else Pinned()
