"""What a night consists of, the words in which it tells of itself, and killing it at one of them.

A step begins and ends when Dagster has recorded that it does. An asset begins with its step, or, where dbt builds it,
when dbt has said so; it ends when Dagster has recorded its materialisation. What runs is not changed for it: this
listens, in the night's own process, where Dagster takes an event and where dbt's lines are read.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.execution.api import create_execution_plan

from hims_pipeline import dbt
from hims_pipeline.defs.assembly import build_definitions
from hims_pipeline.defs.nightly import JOB
from hims_pipeline.settings import Settings

BEFORE, INSIDE, AFTER = MOMENTS = ("before", "inside", "after")
BEGINS, ENDS, OVER = "begins", "ends", "over"
DBT = "dbt"


@dataclass(frozen=True)
class Word:
    """Something began or ended; `OVER` is an end that came while a night waited to be killed inside."""

    kind: str
    name: str
    at: float  # seconds


@dataclass(frozen=True)
class Job:
    """The steps and assets of the night; `of_step`: the assets that begin with a step, by the name of its op; `of_dbt`:
    those that dbt builds, by the name of its node."""

    steps: tuple[str, ...]
    of_step: Mapping[str, tuple[str, ...]]
    of_dbt: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        return [*self.steps, *(name for names in self.of_step.values() for name in names), *self.of_dbt.values()]


def list_night(settings: Settings) -> Job:
    """What the definitions of an installation say that its night consists of."""
    definitions = build_definitions(settings, lambda text: None)
    job = definitions.resolve_job_def(JOB)
    chosen = set(job.asset_layer.selected_asset_keys)
    graph = definitions.resolve_asset_graph()
    by_op = {
        one.node_def.name: tuple(sorted(key.to_user_string() for key in one.keys & chosen))
        for one in graph.assets_defs_for_keys(chosen)
    }
    steps = tuple(f"step {handle.to_key()}" for handle in create_execution_plan(job).step_dict)
    return Job(steps, by_op, {name.rpartition("/")[2]: name for name in by_op.pop(DBT)})


def read_words(trace: Path) -> list[Word]:
    """What a night has told."""
    lines = trace.read_text(encoding="utf-8").splitlines()
    return [Word(kind, name, float(at)) for kind, at, name in (line.split(" ", 2) for line in lines)]


class Listener:
    """Writes the words of the night in this process down, and kills it at a moment where one is given."""

    def __init__(self, job: Job, trace: Path, moment: str = "", name: str = "", patience_seconds: float = 0.0) -> None:
        self.job, self.trace, self.at, self.patience_seconds = job, trace, (moment, name), patience_seconds
        self._begun = set[str]()

    def listen(self) -> None:
        """From now on, in this process."""
        take, read = dg.DagsterInstance.handle_new_event, dbt._event

        def take_event(instance: dg.DagsterInstance, event: Any, **more: Any) -> None:
            kind, names = self._event(event.dagster_event)
            self._come(kind, names)
            take(instance, event, **more)
            self._note(kind, names)

        def read_line(line: str) -> tuple[str, str, dict[str, Any]]:
            name, message, data = read(line)
            node = data.get("node_info", {}).get("node_name", "")
            names = (self.job.of_dbt[node],) if node in self.job.of_dbt else ()
            self._come(BEGINS if name == "LogStartLine" else ENDS if name in dbt.RESULT_EVENTS else "", names)
            if name == "LogStartLine":
                self._note(BEGINS, names)
            return name, message, data

        self._trace = os.open(self.trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        dg.DagsterInstance.handle_new_event = take_event  # type: ignore[method-assign, assignment]
        dbt._event = read_line

    def _event(self, event: dg.DagsterEvent | None) -> tuple[str, tuple[str, ...]]:
        """What Dagster is about to record: of a step, or of an asset."""
        if event is None:
            return "", ()
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key:
            return ENDS, (event.asset_key.to_user_string(),)
        kinds = {dg.DagsterEventType.STEP_START: BEGINS, dg.DagsterEventType.STEP_SUCCESS: ENDS}
        kind, step = kinds.get(event.event_type, ""), re.sub(r"\[.*\]", "[?]", event.step_key or "")
        with_it = self.job.of_step.get(step.split(".")[0], ()) if kind == BEGINS else ()
        return kind, (f"step {step}", *(name for name in with_it if name not in self._begun))

    def _come(self, kind: str, names: tuple[str, ...]) -> None:
        """Nobody has been told yet."""
        for name in names:
            if (kind, self.at) == (BEGINS, (BEFORE, name)):
                _kill()
            if (kind, self.at) == (ENDS, (INSIDE, name)) and name in self._begun:
                self._write(OVER, name, time.monotonic())
                _kill()

    def _note(self, kind: str, names: tuple[str, ...]) -> None:
        """It is recorded."""
        at = time.monotonic()  # one for all that one event tells
        for name in names if kind else ():
            self._write(kind, name, at)
            if (kind, self.at) == (ENDS, (AFTER, name)):
                _kill()
            if (kind, self.at) == (BEGINS, (INSIDE, name)):
                threading.Timer(self.patience_seconds, _kill).start() if self.patience_seconds else _kill()
            self._begun |= {name} if kind == BEGINS else set()

    def _write(self, kind: str, name: str, at: float) -> None:
        os.write(self._trace, f"{kind} {at} {name}\n".encode())


def _kill() -> None:
    os.killpg(os.getsid(0), signal.SIGKILL)  # the night leads its session
