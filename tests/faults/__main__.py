"""`python -m tests.faults --kills 500`: hurts an installation again and again, and reports what did not hold."""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.country.conftest import DROPPED, drop, make_northland, south_rows
from tests.faults.invariants import broken, faults_of, state
from tests.faults.readers import Readers
from tests.faults.world import children_of, copy, remove, run, start

ERRORS = ("ENOSPC", "EIO")
REASON = ("--reason", "tried")


class Trials:
    """All trials of one run, and what went wrong in them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.dice = folder, random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.begun = time.monotonic()

    def prepare(self) -> None:
        """A country after two nights: three batches, one of them corrected, two releases, and a file that waits."""
        self.say("preparing an installation: two nights")
        self.base = make_northland(self.folder / "northland")
        for delivery in DROPPED:
            drop(self.base, *delivery)
        self.base.hims("run")
        drop(self.base, "southland_count", "2023", "south_2023b.csv", south_rows(45))
        self.base.hims("run")
        self.waiting = self.folder / "south_2024.csv"
        self.waiting.write_text(south_rows(60), encoding="utf-8")
        batches = sorted(state(self.base)["batches"])  # type: ignore[call-overload]
        self.batch = next(name for name in batches if name.startswith("southland_count/2022"))

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.begun:8.0f} s  {text}", flush=True)

    def note(self, what: str, problems: list[str]) -> None:
        self.wrong += [f"{what}: {problem}" for problem in problems]
        for problem in problems:
            self.say(f"WRONG  {what}: {problem}")

    def commands(self) -> dict[str, tuple[str, ...]]:
        """Every command that changes something, and those that look."""
        return {
            "deliver": ("deliver", str(self.waiting), "--source", "southland_count", "--period", "2024"),
            "withdraw": ("batch", "withdraw", self.batch, *REASON),
            "use": ("release", "use", "r000001", *REASON),
            "link": ("link",),
            "scrub": ("scrub", "--all"),
            "retention": ("retention", "plan"),
            "status": ("status",),
            "verify": ("release", "verify"),
            "query": ("query", "select count(*) from indicator_value"),
        }

    def hurt(self, name: str, words: tuple[str, ...], kind: str, trials: int) -> None:
        """Hurt a command at random acts; then the installation holds, and the command again ends as if undisturbed."""
        clean = copy(self.base, self.folder / "clean")
        if name == "run":
            drop(clean, "southland_count", "2024", "south_2024.csv", south_rows(60))
        undisturbed = run(clean, *words, kind="count")
        wanted = state(clean)
        remove(clean)
        for number in range(trials):
            at = self.dice.randint(1, max(1, undisturbed.acts))
            what = f"{name} {kind} at act {at} of {undisturbed.acts}"
            here = copy(self.base, self.folder / "hurt")
            if name == "run":
                drop(here, "southland_count", "2024", "south_2024.csv", south_rows(60))
            ended = run(here, *words, kind=kind, at=at)
            self.counts[f"{kind}: {name}"] += 1
            problems = faults_of(ended)
            if kind != "kill" and ended.code == 0 and state(here) != wanted:
                problems.append("success is told, and the state is another")
            problems += broken(here)
            again = run(here, *words)
            problems += faults_of(again)
            differs = {key for key, value in state(here).items() if value != wanted[key]}
            if differs:
                problems.append(f"run again, {', '.join(sorted(differs))} differ: {again.printed.strip()[-300:]}")
            self.note(what, problems)
            remove(here)
            if number % 10 == 9 or name == "run":
                self.say(f"{name}: {kind} {number + 1} of {trials}")

    def kill_dbt(self, trials: int) -> None:
        """Kill dbt alone at a random moment: the night fails with its reason, nothing is published, the next one is."""
        here = copy(self.base, self.folder / "dbt")
        for number in range(trials):
            drop(here, "southland_count", "2024", f"south_{number}.csv", south_rows(60 + number))
            before = state(here)["tables"]
            night = start(here, "run")
            child = self._wait_for_dbt(night.pid)
            time.sleep(self.dice.uniform(0, 20))
            if child is not None:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    child = None
            printed = night.communicate()[0]
            self.counts["dbt killed" if child else "dbt had ended"] += 1
            problems = [] if child is None or night.returncode else ["dbt was killed and the night says success"]
            problems += broken(here)
            if child is not None and state(here)["tables"] != before:
                problems.append("dbt was killed and another release is current")
            again = run(here, "run")
            problems += [f"the next night ends with {again.code}: {again.printed[-300:]}"] if again.code else []
            self.note(f"dbt killed, trial {number + 1}", problems + (["a traceback"] if "Traceback" in printed else []))
            self.say(f"dbt: killed {number + 1} of {trials}")

    @staticmethod
    def _wait_for_dbt(pid: int) -> int | None:
        for _ in range(1200):
            for child, line in children_of(pid).items():
                if "dbt" in line and " build" in line:
                    return child
            if not Path(f"/proc/{pid}").exists():
                return None
            time.sleep(0.1)
        return None


def shares(total: int, names: list[str]) -> Iterator[tuple[str, int]]:
    """A total shared out evenly."""
    for position, name in enumerate(names):
        yield name, total // len(names) + (position < total % len(names))


def main() -> int:
    options = argparse.ArgumentParser()
    for name, default in (("kills", 500), ("errors", 90), ("nights", 25), ("deaths", 12), ("reads", 10_000)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    trials = Trials(folder, chosen.seed)
    try:
        trials.prepare()
        with Readers(trials.base, 3) as readers:
            trials.hurt("run", ("run",), "kill", chosen.nights)
            for name, count in shares(chosen.kills - chosen.nights, list(trials.commands())):
                trials.hurt(name, trials.commands()[name], "kill", count)
            for kind in ERRORS:
                trials.hurt("run", ("run",), kind, chosen.nights // 3)
                for name, count in shares(chosen.errors // 2 - chosen.nights // 3, list(trials.commands())):
                    trials.hurt(name, trials.commands()[name], kind, count)
            trials.kill_dbt(chosen.deaths)
            readers.wait_for(chosen.reads)
        trials.note("readers", readers.problems)
    finally:
        for place, _, _ in os.walk(folder):
            Path(place).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
    for name, count in sorted(trials.counts.items()):
        trials.say(f"{count:6d}  {name}")
    trials.say(f"{readers.reads:6d}  reads by three readers; {len(trials.wrong)} things did not hold")
    return 1 if trials.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
