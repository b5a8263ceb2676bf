"""Errors of steps as one line for people: Dagster keeps what a step raises, and no text that quotes data may stay. And
what Dagster itself says past its logs when its history cannot be written."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import IO

import dagster as dg

from hims_pipeline.failures import explain
from hims_pipeline.settings import is_debugging
from hims_pipeline.stopping import let_through


@contextmanager
def plain_failures() -> Iterator[None]:
    """Whatever is raised inside fails the step with one line that says what is wrong and what to do."""
    try:
        yield
    except (dg.DagsterError, dg.Failure):
        raise
    except Exception as error:
        let_through(error)
        if is_debugging():
            raise
        raise dg.Failure(explain(error), allow_retries=False) from None


class _Quiet:
    """Standard error without the statements of SQL, with all their parameters, that Dagster writes there for each event
    that its history could not take; they are said in one line."""

    STATEMENT = "Exception while writing logger call to event log"
    SAID = "Dagster's history cannot be written; what follows of this run is in none.\n"

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._is_said = stream, False

    def write(self, text: str) -> int:
        if not text.startswith(self.STATEMENT):
            return self._stream.write(text)
        if not self._is_said:
            self._is_said = True
            self._stream.write(self.SAID)
        return len(text)

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


@contextmanager
def quiet_history() -> Iterator[None]:
    """What Dagster prints of events that its database refuses is one line while the block lasts."""
    with redirect_stderr(_Quiet(sys.stderr)):
        yield
