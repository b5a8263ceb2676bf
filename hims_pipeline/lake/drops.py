"""Taking over what others dropped into landing, and deleting exactly what was taken over.

Not here: looking for it (`survey`), and how files become a delivery (`landing`).
"""

import time
from collections.abc import Callable

from hims_pipeline.contracts.model import Contract
from hims_pipeline.errors import HimsError
from hims_pipeline.lake import landing
from hims_pipeline.lake.arrival import Unfit, Untaken, delete_copied
from hims_pipeline.lake.delivery import Delivery
from hims_pipeline.lake.survey import Drop, Misplaced, Survey, survey_dropped
from hims_pipeline.settings import Settings


def take_over_drops(
    settings: Settings,
    contracts: dict[str, Contract],
    settle_seconds: float,
    now: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[list[Delivery], list[Delivery], list[Misplaced]]:
    """Take over what others dropped: (deliveries that are new, or that count anew since they were sent again; those
    known already; what makes no delivery and why).

    A delivery waits while a file is younger than `settle_seconds` or still open for writing, and while a required
    entity is missing. What is taken over is deleted, if it is still what was copied.
    """
    survey = survey_dropped(settings, contracts, settle_seconds, now)
    new: list[Delivery] = []
    again: list[Delivery] = []
    for drop in _wait_for_rest(survey, settle_seconds, sleep):
        try:
            taken = landing.take_over_files(settings, drop.contract, drop.period, list(drop.files), "dropped")
        except Unfit as error:
            path, position = list(drop.files.items())[error.position - 1]
            survey.leave(f"{drop.place}, file {position}", error.reason, path.name)
        except HimsError as error:
            survey.leave(drop.place, str(error), is_failure=isinstance(error, Untaken))
        else:
            (new if taken.is_new or taken.is_last_word else again).append(taken.delivery)
            if taken.delivery.withdrawn:
                survey.leave(
                    drop.place,
                    f"has the bytes of {taken.delivery.id}, which was withdrawn; `hims batch reinstate "
                    f"{taken.delivery.batch}` lets it count again",
                )
            for (path, position), copied in zip(drop.files.items(), taken.copied, strict=True):
                if trouble := delete_copied(path, copied):
                    survey.leave(f"{drop.place}, file {position}", trouble, path.name)
    return new, again, survey.left


def _wait_for_rest(survey: Survey, settle_seconds: float, sleep: Callable[[float], None]) -> list[Drop]:
    """The drops that rest. Where a clock cannot say so they are looked at twice."""
    ahead = {drop.place: drop.stamps() for drop in survey.ready if drop.ahead}
    if not ahead:
        return survey.ready
    sleep(settle_seconds)
    rested = []
    for drop in survey.ready:
        if drop.ahead and (not ahead[drop.place] or ahead[drop.place] != drop.stamps()):
            survey.leave(drop.place, "a file's modification time lies in the future, and it still changes")
            continue
        if drop.ahead:
            survey.leave(
                drop.place,
                "a file's modification time lies in the future; it was watched, did not change, and is taken over",
            )
        rested.append(drop)
    return rested
