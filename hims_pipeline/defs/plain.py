"""Errors of steps as one line for people: Dagster keeps what a step raises, and no text that quotes data may stay."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from hims_pipeline.failures import explain
from hims_pipeline.settings import is_debugging


@contextmanager
def plain_failures() -> Iterator[None]:
    """Whatever is raised inside fails the step with one line that says what is wrong and what to do."""
    try:
        yield
    except (dg.DagsterError, dg.Failure):
        raise
    except Exception as error:
        if is_debugging():
            raise
        raise dg.Failure(explain(error), allow_retries=False) from None
