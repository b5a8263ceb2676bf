"""What publishing starts beside itself: what it says is told, how it fails is a reason not to publish."""

import pytest

from hims_pipeline.errors import ReleaseError
from hims_pipeline.release import publish


def test_what_it_says_is_told_when_it_is_waited_for(settings) -> None:
    told: list[str] = []
    with publish._start(settings, "Drawing", "platform") as started:
        started.finish(told.append)
    assert len(told) == 1


def test_a_failure_is_told_with_its_reason(settings) -> None:
    why = r"The audit of the candidate ended with code 1:\n.*no_such_module"
    with publish._start(settings, "The audit of", "no_such_module") as started, pytest.raises(ReleaseError, match=why):
        started.finish()


def test_it_ends_with_whoever_stops_waiting(settings) -> None:
    serving = publish._start(settings, "Drawing", "http.server", "0")
    with pytest.raises(ReleaseError, match="beside"), serving as started:
        raise ReleaseError("something beside it failed")
    assert started.process.returncode not in (0, None)
