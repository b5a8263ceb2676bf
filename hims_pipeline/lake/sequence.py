"""The order of deliveries: one counter for the installation. No clock and no label decides which came last."""

from hims_pipeline.lake.files import write_text
from hims_pipeline.settings import Settings


def next_number(settings: Settings, known: int) -> int:
    """The next number, never given before; written down before it is used. The caller holds the acts' lock.

    Args:
        known: the highest number of the source's own deliveries, should the counter have been lost.
    """
    path = settings.identified / "landing.sequence"
    try:
        last = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        last = 0
    number = max(last, known, 0) + 1
    write_text(path, f"{number}\n", mode=0o600)
    return number
