"""Accepted deliveries that are held back: what they would have made of the warehouse broke a control or a rule across
sources, so their source falls back to the delivery before. Like withdrawn ones they do not count; unlike those they do
again by themselves, once what they were judged by is another.

    held_back.json   batch -> why, since when, and by what; sealed

Not here: who is held back, and when it is over (`release.fallback`).
"""

from typing import Any

from hims_pipeline.errors import Damaged
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.settings import Settings

KIND = "deliveries held back"


def read_held_back(settings: Settings) -> dict[str, dict[str, Any]]:
    """Batch -> `codes`, `reason`, `since`, `basis`. Of a record that is not what we wrote nothing is believed: all are
    judged again by the next build."""
    path = settings.home / "held_back.json"
    if not path.exists():
        return {}
    try:
        batches: dict[str, dict[str, Any]] = read_sealed(settings, path, KIND)["batches"]
        return batches
    except Damaged:
        return {}


def write_held_back(settings: Settings, batches: dict[str, dict[str, Any]]) -> None:
    """Replace the record; without any batch it goes."""
    path = settings.home / "held_back.json"
    if batches:
        write_sealed(settings, path, KIND, {"batches": batches})
    else:
        path.unlink(missing_ok=True)
