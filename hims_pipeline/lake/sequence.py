"""The order of deliveries: one counter for the installation, sealed. No clock and no label decides which came last."""

from hims_pipeline.errors import Damaged
from hims_pipeline.lake import journal
from hims_pipeline.lake.seal import read_sealed, write_sealed
from hims_pipeline.settings import Settings

FILE, KIND = "sequence.json", "sequence"


def last_number(settings: Settings) -> int:
    """The last number that was given; 0 where none was.

    Raises:
        Damaged: the counter is not what was written.
    """
    path = settings.identified / FILE
    try:
        return int(read_sealed(settings, path, KIND)["last"]) if path.exists() else 0
    except (KeyError, TypeError, ValueError):
        raise Damaged(path, "does not hold what a counter of this version holds") from None


def next_number(settings: Settings, known: int) -> int:
    """The next number, never given before; written down before it is used. The caller holds the acts' lock.

    A counter that is damaged or gone is made anew from the audit trail, which tells each delivery's number.

    Args:
        known: the highest number of the source's own deliveries.
    """
    number = max(_read_last(settings), known, 0) + 1
    write_sealed(settings, settings.identified / FILE, KIND, {"last": number})
    return number


def _read_last(settings: Settings) -> int:
    try:
        if last := last_number(settings):
            return last
    except Damaged:
        pass  # the scrub tells it
    numbers = (one.get("sequence") for one in journal.entries(settings) if one["event"] == journal.RECEIVED)
    return max((number for number in numbers if isinstance(number, int)), default=0)
