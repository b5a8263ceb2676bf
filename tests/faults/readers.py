"""Readers who read the whole time: each read is of one whole release, and of no older one than the read before."""

import multiprocessing
import time
from multiprocessing.synchronize import Event
from queue import Empty
from typing import Any

from hims_pipeline.release import store
from hims_pipeline.release.reader import connect
from hims_pipeline.settings import Settings
from tests.installation import Installation

PAUSE_SECONDS = 0.3  # what is read leaves the machine to what is hurt


def read_on(settings: Settings, stop: Event, told: Any) -> None:
    """Read until told to stop; report how often, and each read that did not fit its release's own manifest."""
    reads, last = 0, ""
    while not stop.is_set():
        try:
            now = store.current_release(settings)
            assert now is not None
            wanted = now.figures()["rows"]
            con = connect(now.id, settings=settings)
            found = con.execute("select count(*), count(obs_value) from indicator_value").fetchall()[0][0]
            con.close()
            if found != wanted:
                told.put(("problem", f"{now.id} has {found} figures for {wanted}"))
            if now.id < last:
                told.put(("problem", f"{now.id} after {last}"))
            reads, last = reads + 1, now.id
        except Exception as error:  # a reader who is refused is what is looked for
            told.put(("problem", f"{type(error).__name__}: {error}"))
        if reads % 50 == 0:
            told.put(("reads", 50))
        stop.wait(PAUSE_SECONDS)


class Readers:
    """Some readers in processes of their own."""

    def __init__(self, here: Installation, count: int) -> None:
        self.reads, self.problems = 0, list[str]()
        context = multiprocessing.get_context("spawn")
        self._stop, self._told = context.Event(), context.Queue()
        self._readers = [
            context.Process(target=read_on, args=(here.settings, self._stop, self._told), daemon=True)
            for _ in range(count)
        ]

    def __enter__(self) -> "Readers":
        for one in self._readers:
            one.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        self._drain()
        for one in self._readers:
            one.join(10)
        self._drain()

    def wait_for(self, reads: int, patience_seconds: float = 1800) -> None:
        """Return once so many reads were made."""
        until = time.monotonic() + patience_seconds
        while self.reads < reads and time.monotonic() < until:
            self._drain()
            time.sleep(0.5)
        if self.reads < reads:
            self.problems.append(f"only {self.reads} reads of {reads} were made")

    def _drain(self) -> None:
        try:
            while True:
                kind, value = self._told.get_nowait()
                if kind == "reads":
                    self.reads += value
                elif len(self.problems) < 20:
                    self.problems.append(value)
        except Empty:
            return
