"""Trials of nights: one installation that lives on, killed again and again before a night comes through, while others
read its releases; and what a night starts, killed alone."""

import contextlib
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from tests.elsewhere import SETTINGS, other_clock
from tests.faults.invariants import broken, faults_of, state
from tests.faults.trials import Told, differing
from tests.faults.world import Ended, children_of, copy, remove, run, start
from tests.installation import Installation
from tests.northland import drop, south_rows

ONE_ROUND = 20  # kills before a night must come through: each such night is a whole build


class Nights:
    """Nights of an installation of their own, which readers may read meanwhile."""

    def __init__(self, here: Installation, folder: Path, dice: random.Random, told: Told) -> None:
        self.here, self.folder, self.dice, self.told = here, folder, dice, told
        self.sent, self.clock = 0, other_clock(folder)
        self.length_seconds = 60.0

    def hurt(self, faults: dict[str, int]) -> None:
        """Hurt nights at random, several in a row over the same deliveries; the one that is left alone ends as if none
        had been hurt.

        Args:
            faults: how often which: `kill`, the name of an error such as ENOSPC, or `child`, which kills what a night
                has started (dbt, the audit) alone.
        """
        drawn = [kind for kind, count in faults.items() for _ in range(count)]
        self.dice.shuffle(drawn)
        while drawn:
            undisturbed, wanted = self._deliver()
            before = state(self.here)
            for _ in range(min(ONE_ROUND, len(drawn))):
                kind = drawn.pop()
                what, ended = self._hurt_once(kind, undisturbed)
                self._judge(what, ended, kind, before, wanted)
                self.told.say(f"{what}, {len(drawn)} to go: ended with {ended.code}")
                if ended.code == 0:
                    break  # it came through: what follows would be quiet nights
            self._end("the night that was left alone", wanted)

    def _hurt_once(self, kind: str, undisturbed: Ended) -> tuple[str, Ended]:
        if kind == "child":
            name, ended = self._kill_child()
            self.told.counts[f"killed alone: {name}"] += 1
            return f"{name} killed alone", ended
        at = undisturbed.draw(self.dice)
        ended = run(self.here, "run", kind=kind, at=at)
        self.told.counts[f"{kind}: night" if ended.code or kind != "kill" else "kill: night had ended"] += 1
        return f"night {kind} at act {at} of {len(undisturbed.acts)}", ended

    def _deliver(self) -> tuple[Ended, dict[str, Any]]:
        """Something new, and what an undisturbed night makes of it, in a copy."""
        self.sent += 1
        drop(self.here, "southland_count", "2024", f"south_{self.sent}.csv", south_rows(60 + self.sent))
        twin = copy(self.here, self.folder / "twin")
        started = time.monotonic()
        # On another machine and another day, so to speak: its tables must be equal all the same.
        elsewhere = self.dice.choice(SETTINGS) | self.clock
        undisturbed = run(twin, "run", kind="count", more=elsewhere)
        self.length_seconds = time.monotonic() - started
        wanted = state(twin)
        self.told.note("an undisturbed night", faults_of(undisturbed) + broken(twin))
        if undisturbed.code:
            self.told.note("an undisturbed night", [f"ends with {undisturbed.code}: {undisturbed.printed[-500:]}"])
        remove(twin)
        self.told.say(f"an undisturbed night: {self.length_seconds:.0f} s, {len(undisturbed.acts)} acts")
        return undisturbed, wanted

    def _judge(self, what: str, ended: Ended, kind: str, before: dict[str, Any], wanted: dict[str, Any]) -> None:
        problems = faults_of(ended) + broken(self.here)
        now = state(self.here)
        if ended.code == 0 and now != wanted:
            problems.append(f"success is told, and {differing(now, wanted)} differ")
        if now.get("tables") not in (before["tables"], wanted["tables"]):
            problems.append("readers get neither the former release nor the one to come")
        if kind != "kill" and ended.code and now.get("begun"):
            problems.append(f"failure is told, and left begun: {', '.join(now['begun'])}: {ended.printed[-300:]}")
        self.told.note(what, problems)

    def _end(self, what: str, wanted: dict[str, Any]) -> None:
        ended = run(self.here, "run")
        problems = faults_of(ended) + broken(self.here)
        if ended.code:
            problems.append(f"ends with {ended.code}: {ended.printed.strip()[-500:]}")
        if (now := state(self.here)) != wanted:
            problems.append(f"{differing(now, wanted)} differ")
        self.told.note(what, problems)

    def _kill_child(self) -> tuple[str, Ended]:
        """Start a night, kill a child of it a random while after it began, and wait for the night's own end."""
        night = start(self.here, "run")
        mark = self.dice.choice([" build --project-dir", "release.audit"])
        patience = self.dice.uniform(0, 0.06) * self.length_seconds
        while night.poll() is None:
            time.sleep(0.05)
            found = [pid for pid, line in children_of(night.pid).items() if mark in line and "processes.py" not in line]
            if found and (patience := patience - 0.05) <= 0:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found[0], signal.SIGKILL)
                    break
        ended = night.poll()
        printed = night.communicate()[0]
        return mark if ended is None else "nothing", Ended(night.returncode, printed, b"")
