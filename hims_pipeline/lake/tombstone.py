"""What is left of a delivery that was destroyed under its term: a sealed record of ids, hashes and counts.

    identified/destroyed/<source>/<period>/<id>.json

No name of a file or person stands in it. Not here: what is due and how it is destroyed (`retention`).
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from hims_pipeline.errors import Damaged
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.settings import Settings

KIND = "tombstone"


@dataclass(frozen=True)
class Tombstone:
    """Args:
    file_hashes: SHA-256 of each file as it was sent.
    rows: entity -> rows that were read; empty where the delivery was never read.
    basis, term_years, due: the contract's legal basis and term, and the day on which it ended.
    """

    source: str
    period: str
    id: str
    sha256: str
    received_at: str
    file_hashes: tuple[str, ...]
    bytes: int
    rows: dict[str, int]
    key_version: str
    basis: str
    term_years: int
    due: str
    destroyed_at: str
    reason: str

    @property
    def batch(self) -> str:
        return f"{self.source}/{self.period}/{self.id}"

    def sentence(self) -> str:
        """Why its figures are no longer there, as a person reads it."""
        return f"Destroyed on {self.destroyed_at[:10]} under its legal term of {self.term_years} years: {self.reason}"


def place_of(settings: Settings, batch: str) -> Path:
    """Where the tombstone of a destroyed batch stands."""
    return (settings.identified / "destroyed").joinpath(*batch.split("/")).with_suffix(".json")


def write_tombstone(settings: Settings, stone: Tombstone) -> None:
    """Write and seal the tombstone of a destroyed batch."""
    path = place_of(settings, stone.batch)
    write_sealed(settings, path, KIND, asdict(stone))


def tombstones(settings: Settings) -> list[Tombstone]:
    """All of them, by batch.

    Raises:
        Damaged: one is not what we wrote.
    """
    stones = []
    for path in sorted((settings.identified / "destroyed").glob("*/*/*.json")):
        value = read_sealed(settings, path, KIND)
        try:
            stones.append(Tombstone(**{**value, "file_hashes": tuple(value["file_hashes"])}))
        except (TypeError, KeyError):
            raise Damaged(path, "does not hold what a tombstone holds") from None
    return stones
