"""Kills before, inside and after every step and every asset of the night, as its definitions list them; no dice.

An undisturbed night, on a copy, tells in which order they come. Between the end of one and the beginning of the next is
one moment, after the one and before the other; so kills are two an asset. They come in chains: a night is killed, the
next one further on, and the last of a chain is left alone and must end as the undisturbed one did.
"""

import itertools
import multiprocessing
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.invariants import broken, faults_of, find_held, places, read_release, state
from tests.faults.moments import (
    AFTER,
    BEFORE,
    BEGINS,
    ENDS,
    INSIDE,
    MOMENTS,
    OVER,
    Job,
    Listener,
    Word,
    list_night,
    read_words,
)  # fmt: skip
from tests.faults.readers import Readers
from tests.faults.trials import Told, differing
from tests.faults.world import ask, copy, remove, run
from tests.installation import Installation
from tests.northland import drop, south_rows

Moment = tuple[str, str]  # of `MOMENTS`, and the name of a step or an asset
Kill = list[Moment]  # the moments that one kill hits
CHAIN = 30  # kills before a night is left alone: each such night is a whole build
SHARES = (
    0.4,
    0.1,
    0.0,
)  # of the time that something took undisturbed, after which it is killed; less where it was over
LAG_SECONDS = 0.05  # of that time: dbt is so much further than what has been read of its lines, or recorded
LANES = 2  # chains at the same time


@dataclass(frozen=True)
class Plan:
    """What chains begin with, and what must come of it.

    Attributes:
        base: an installation with a delivery that waits; never changed.
        words: those of the undisturbed night.
        before, wanted: the state at first, and the one that the undisturbed night ended with.
        places: what lay in its folder then.
    """

    base: Installation
    job: Job
    folder: Path
    words: list[Word]
    before: dict[str, Any]
    wanted: dict[str, Any]
    places: set[str]

    def length_of(self, name: str) -> float:
        """Seconds that a step or an asset took undisturbed, as far as can be known."""
        came = {(word.kind, word.name): word.at for word in reversed(self.words)}  # the first time
        return max(0.0, came.get((ENDS, name), 0.0) - came.get((BEGINS, name), 0.0) - LAG_SECONDS)


@dataclass
class Outcome:
    """What came of kills: moments that were hit; kills whose asset was over by then; kills that never came."""

    hit: Counter[Moment] = field(default_factory=Counter)
    over: list[Kill] = field(default_factory=list)
    not_come: list[Kill] = field(default_factory=list)
    reads: int = 0
    told: Told = field(default_factory=Told)

    def add(self, other: "Outcome") -> None:
        self.hit += other.hit
        self.over += other.over
        self.not_come += other.not_come
        self.reads += other.reads
        self.told.wrong += other.told.wrong


def kill_each(base: Installation, folder: Path, told: Told, only: Sequence[str] = ()) -> int:
    """Kill nights at every moment of every step and asset; returns how many reads were made meanwhile.

    First nights that carry over what they may, which are short; what these build nothing of is killed in whole ones.

    Args:
        base: an installation after a night.
        only: parts of names; of steps and assets without any of them nothing is killed.
    """
    outcome, job = Outcome(told=told), ask(partial(list_night, base.settings))
    told.say(f"the night has {len(job.steps)} steps and {len(job.names) - len(job.steps)} assets")
    names = [name for name in job.names if not only or any(part in name for part in only)]
    for is_whole in (False, True):
        left = [name for name in names if not all(outcome.hit[moment, name] for moment in MOMENTS)]
        if left:
            plan = _make_plan(base, job, folder / ("whole" if is_whole else "brief"), told, is_whole=is_whole)
            begun = {word.name for word in plan.words if word.kind == BEGINS}
            kills = list_kills(plan.words, [name for name in left if name in begun])
            for share in SHARES:
                again = _try_chains(plan, kills, share, outcome)
                kills = [*again.over, *again.not_come]
    for name in names:
        missing = [moment for moment in MOMENTS if not outcome.hit[moment, name]]
        told.note(name, [f"was never killed {' or '.join(missing)}"] if missing else [])
    _sum_up(names, outcome)
    return outcome.reads


def list_kills(words: Iterable[Word], names: Sequence[str]) -> list[Kill]:
    """The kills that hit every moment of these names, in a night's order; moments between two words are one kill."""
    kills: list[Kill] = []
    last = None
    for word in words:
        if word.name in names and word.kind == ENDS:
            kills.append([(AFTER, word.name)])
            gap = kills[-1]
        elif word.name in names:
            if last is None or last.name not in names or (last.kind == BEGINS and last.at != word.at):
                kills.append(gap := [])
            gap.append((BEFORE, word.name))
            kills.append([(INSIDE, word.name)])
        last = word
    return kills


def _try_chains(plan: Plan, kills: list[Kill], share: float, outcome: Outcome) -> Outcome:
    """Try kills, some chains at a time; adds up what came of them, and returns what is to be tried again."""
    chains = [kills[number : number + CHAIN] for number in range(0, len(kills), CHAIN)]
    tried = Outcome()
    if chains:
        outcome.told.say(f"{len(kills)} kills in {len(chains)} chains")
        with ProcessPoolExecutor(LANES, multiprocessing.get_context("fork")) as lanes:
            for one in lanes.map(partial(try_chain, plan, outcome.told.begun, share), reversed(chains)):
                tried.add(one)
    outcome.add(tried)
    return tried


def try_chain(plan: Plan, begun: float, share: float, kills: list[Kill]) -> Outcome:
    """Kill nights of a copy one after the other, and let one come through; where one did before its turn, as when a
    killed night had published all there was, go on with another copy."""
    outcome, left = Outcome(told=Told(begun)), list(kills)
    while left:
        (moment, name), is_first = left[0][0], True
        here = copy(plan.base, plan.folder / f"{moment} {name.replace('/', ' ')}")
        with Readers(here, 1) as readers:
            while left and _kill_once(plan, here, left[0], share, outcome):
                left, is_first = left[1:], False
            if left and is_first:
                outcome.not_come.append(left.pop(0))
            _end(plan, here, outcome.told)
        outcome.told.note("a reader", readers.problems)
        outcome.reads += readers.reads
        remove(here)
    return outcome


def _kill_once(plan: Plan, here: Installation, kill: Kill, share: float, outcome: Outcome) -> bool:
    """Kill one night, and look what readers get then; False when it came through instead."""
    (moment, name), trace = kill[0], plan.folder / f"{here.home.name}.words"
    trace.unlink(missing_ok=True)
    listener = Listener(plan.job, trace, moment, name, share * plan.length_of(name))
    ended = run(here, "run", within=listener.listen)
    is_over = trace.exists() and any(word.kind == OVER for word in read_words(trace))
    if is_over:
        outcome.over.append(kill)
    elif ended.was_killed:
        outcome.hit.update(kill)
    damaged, tables = read_release(here)
    problems = faults_of(ended) + damaged
    if tables not in (plan.before["tables"], plan.wanted["tables"]):
        problems.append("readers get neither the former release nor the one to come")
    if not ended.was_killed and ended.code:
        problems.append(f"ends with {ended.code}: {ended.printed.strip()[-500:]}")
    outcome.told.note(f"{moment} {name}", problems)
    how = "it was over" if is_over else "killed" if ended.was_killed else "came through"
    outcome.told.say(f"{moment} {name}: {how}")
    return ended.was_killed


def _end(plan: Plan, here: Installation, told: Told) -> None:
    """The night that is left alone: nobody has done anything by hand."""
    ended = run(here, "run")
    problems = faults_of(ended) + broken(here) + find_held(here)
    if ended.code:
        problems.append(f"ends with {ended.code}: {ended.printed.strip()[-500:]}")
    if (now := state(here)) != plan.wanted:
        problems.append(f"{differing(now, plan.wanted)} differ")
    if left := places(here) ^ plan.places:
        problems.append(f"lies here or there alone: {', '.join(itertools.islice(sorted(left), 9))}")
    told.note("the night that was left alone", problems)
    told.say("a night left alone")


def _make_plan(base: Installation, job: Job, folder: Path, told: Told, *, is_whole: bool) -> Plan:
    """An undisturbed night. A whole one builds all there is, since nothing of former builds is kept."""
    folder.mkdir()
    waiting = copy(base, folder / "waiting")
    if is_whole:
        shutil.rmtree(waiting.home / "kept")
    drop(waiting, "southland_count", "2024", "south_new.csv", south_rows(60))
    before = state(waiting)
    twin, trace = copy(waiting, folder / "twin"), folder / "undisturbed.words"
    ended = run(twin, "run", within=Listener(job, trace).listen)
    told.note("the undisturbed night", faults_of(ended) + broken(twin) + find_held(twin))
    plan = Plan(waiting, job, folder, read_words(trace), before, state(twin), places(twin))
    remove(twin)
    return plan


def _sum_up(names: Sequence[str], outcome: Outcome) -> None:
    """How many were hit at each moment, by layer."""
    layers = defaultdict[str, list[str]](list)
    for name in names:
        layers[name.split("/")[0].split(" ")[0]].append(name)
    for layer, of_layer in sorted(layers.items()):
        hits = ", ".join(f"{sum(outcome.hit[moment, name] > 0 for name in of_layer)} {moment}" for moment in MOMENTS)
        over = sum(name in of_layer for ((_, name),) in outcome.over)
        outcome.told.say(f"{len(of_layer):6d}  of {layer}: killed {hits}; {over} times it was over too fast")
