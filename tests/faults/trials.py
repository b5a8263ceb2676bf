"""Trials of commands: hurt at a random act, sometimes again while that is finished; then used as people would."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.invariants import broken, faults_of, state
from tests.faults.prepared import Prepared, with_key
from tests.faults.world import copy, remove, run
from tests.installation import Installation

MOST_AGAIN = 2  # how often what finishes a killed command may be killed itself


class Told:
    """What was tried, and what did not hold."""

    def __init__(self, begun: float | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.begun = time.monotonic() if begun is None else begun

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.begun:8.0f} s  {text}", flush=True)

    def note(self, what: str, problems: list[str]) -> None:
        self.wrong += [f"{what}: {problem}" for problem in problems]
        for problem in problems:
            self.say(f"WRONG  {what}: {problem}")


def shares(total: int, names: list[str]) -> Iterator[tuple[str, int]]:
    """A total shared out evenly."""
    for position, name in enumerate(names):
        yield name, total // len(names) + (position < total % len(names))


class Commands:
    """Every command of a prepared installation, hurt."""

    def __init__(self, prepared: Prepared, folder: Path, dice: random.Random, told: Told) -> None:
        self.prepared, self.folder, self.dice, self.told = prepared, folder, dice, told

    def hurt_all(self, kind: str, trials: int, only: tuple[str, ...] = ()) -> None:
        """Share a number of faults of a kind out among the commands."""
        names = [name for name in self.prepared.commands() if not only or name in only]
        for name, count in shares(trials, names):
            if count:
                self.hurt(name, kind, count)

    def hurt(self, name: str, kind: str, trials: int) -> None:
        """Hurt a command at random acts; then the installation holds, and the command again ends as if undisturbed."""
        words = self.prepared.commands()[name]
        clean = copy(self.prepared.base, self.folder / "clean")
        undisturbed = run(clean, *words, kind="count")
        wanted = state(self._seen(clean, name))
        self.told.note(f"{name} undisturbed", faults_of(undisturbed))
        remove(clean)
        done = 0
        while done < trials:
            here = copy(self.prepared.base, self.folder / "hurt")
            done += self._hurt_once(here, name, kind, undisturbed.draw(self.dice), wanted)
            remove(here)
        self.told.say(f"{name}: {done} times {kind}, of {len(undisturbed.acts)} acts")

    def _hurt_once(self, here: Installation, name: str, kind: str, at: int, wanted: dict[str, Any]) -> int:
        """One trial; returns how many faults it took."""
        words, faults = self.prepared.commands()[name], 1
        ended = run(here, *words, kind=kind, at=at)
        problems = faults_of(ended)
        seen = self._seen(here, name)
        if kind != "kill" and ended.code == 0 and (found := state(seen)) != wanted:
            problems.append(f"success is told, and {differing(found, wanted)} differ: {ended.printed.strip()[-300:]}")
        elif kind != "kill" and ended.code and name not in ("rotate", "retention") and not _failed_whole(seen, wanted):
            problems.append(f"failure is told, and it was done: {ended.printed.strip()[-300:]}")
        if name != "rotate":  # which says itself what is to be done, and nothing else goes on before
            problems += broken(here)
        while kind == "kill" and faults <= MOST_AGAIN and self.dice.random() < 0.4:
            run(here, *words, kind=kind, at=self.dice.randint(1, 12))
            faults += 1
        again = run(here, *words)
        problems += faults_of(again)
        found = state(self._seen(here, name))
        if found != wanted:
            problems.append(f"run again, {differing(found, wanted)} differ: {again.printed.strip()[-300:]}")
        problems += faults_of(trail := run(self._seen(here, name), "audit", "verify"))
        problems += [f"audit verify: {trail.printed.strip()[-300:]}"] if trail.code else []
        self.told.counts[f"{kind}: {name}"] += faults
        self.told.note(f"{name} {kind} at act {at}", problems)
        return faults

    def flip(self, trials: int) -> None:
        """Flip a bit somewhere in landing, batches, releases or the records of state: a scrub tells it."""
        here = copy(self.prepared.base, self.folder / "flipped")
        run(here, "scrub", "--all")  # whatever it writes is there
        paths = sorted(path for path in here.home.rglob("*") if _matters(path, here.home))
        before = {path: path.read_bytes() for path in paths}
        for _ in range(trials):
            path = self.dice.choice(paths)
            content, mode = bytearray(before[path]), path.stat().st_mode
            content[self.dice.randrange(len(content))] ^= 1 << self.dice.randrange(8)
            path.chmod(0o600)
            path.write_bytes(content)
            path.chmod(mode)
            found = run(here, "scrub", "--all")
            is_mended = path.name == "CURRENT" and "put right from the audit trail" in found.printed
            told = is_mended or (("DAMAGED" in found.printed or "Error:" in found.printed) and found.code)
            problems = faults_of(found) + ([] if told else [f"was not found: {found.printed.strip()[-200:]}"])
            self.told.note(f"a bit of {path.relative_to(here.home)}", problems)
            for changed in (one for one in paths if one.read_bytes() != before[one]):
                mode = changed.stat().st_mode
                changed.chmod(0o600)
                changed.write_bytes(before[changed])
                changed.chmod(mode)
        self.told.counts["flipped bits"] += trials
        self.told.say(f"{trials} bits flipped in {len(paths)} files")
        remove(here)

    def _seen(self, here: Installation, name: str) -> Installation:
        """As somebody looks at it afterwards: when another key has taken over, with that one."""
        if name == "rotate" and "rests on key" in run(here, "status").printed:
            return with_key(here, self.prepared.key)
        return here


def _matters(path: Path, home: Path) -> bool:
    """Is this a file whose every bit is ours to know? Locks and the reserve hold nothing, Dagster's databases and what
    is written anew each night are no state of ours."""
    place = path.relative_to(home).parts
    others = place[0] in ("dagster", "build") or path.name in ("left_in_landing.json", "dagster.yaml")
    return path.is_file() and path.stat().st_size > 0 and path.suffix not in (".lock", ".reserve") and not others


def _failed_whole(here: Installation, wanted: dict[str, Any]) -> bool:
    """What failed left no act begun; the state may be the wanted one only where the command changes none."""
    return not state(here).get("begun")


def differing(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    """What differs between two states, in words."""
    names = sorted(name for name in wanted.keys() | found.keys() if found.get(name) != wanted.get(name))
    return ", ".join(f"{name} ({_few(found.get(name))} for {_few(wanted.get(name))})" for name in names)


def _few(value: Any) -> str:
    return str(value)[:200] if not isinstance(value, dict) or len(value) < 9 else f"{len(value)} of them"
