"""`python -m tests.faults --kills 500`: hurts an installation again and again, and reports what did not hold."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.faults.assets import kill_each
from tests.faults.nights import Nights
from tests.faults.prepared import prepare
from tests.faults.readers import Readers
from tests.faults.trials import Commands, Told
from tests.faults.world import copy, go_on_in_a_copy, thrown_away

ERRORS = ("ENOSPC", "EIO")


def options() -> argparse.Namespace:
    """What is asked for: numbers of faults; errors and nights are part of nothing else."""
    known = argparse.ArgumentParser(prog="python -m tests.faults")
    for name, default, help_text in (
        ("kills", 500, "kills of commands and nights"),
        ("nights", 50, "of these, kills of nights"),
        ("errors", 120, "disk errors, half ENOSPC, half EIO, over commands"),
        ("night-errors", 20, "disk errors over nights"),
        ("deaths", 20, "kills of what a night has started, alone"),
        ("flips", 200, "bits flipped in what was written"),
        ("reads", 10_000, "reads by three readers meanwhile"),
        ("seed", 1, "of the dice"),
    ):
        known.add_argument(f"--{name}", type=int, default=default, help=f"{help_text} ({default})")
    known.add_argument("--assets", action="store_true", help="instead: a night at each moment of each step and asset")
    known.add_argument(
        "--only", action="append", default=[], help="commands, or parts of assets' names, to hurt; else all"
    )
    known.add_argument("--base", type=Path, help="a folder in which the prepared installation is kept for again")
    known.add_argument("--whole", action="store_true", help="with the warehouse's own tests, which triple a night")
    known.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    return known.parse_args()


def try_all(chosen: argparse.Namespace, folder: Path, told: Told) -> int:
    """Hurt everything as often as was asked; returns how many reads were made meanwhile."""
    dice = random.Random(chosen.seed)  # noqa: S311 - reproducible, not secret
    told.say("preparing an installation: two nights, where there is none yet")
    prepared = prepare(chosen.here)
    if chosen.assets:
        return kill_each(prepared.base, folder, told, chosen.only)
    living = copy(prepared.base, folder / "nights")
    commands, nights = Commands(prepared, folder, dice, told), Nights(living, folder, dice, told)
    with Readers(living, 3 if chosen.reads else 0) as readers:
        commands.hurt_all("kill", chosen.kills - chosen.nights, tuple(chosen.only))
        for kind in ERRORS:
            commands.hurt_all(kind, chosen.errors // len(ERRORS), tuple(chosen.only))
        commands.flip(chosen.flips)
        errors = dict.fromkeys(ERRORS, chosen.night_errors // len(ERRORS))
        nights.hurt({"kill": chosen.nights, **errors, "child": chosen.deaths})
        readers.wait_for(chosen.reads)
    told.note("readers", readers.problems)
    return readers.reads


def main() -> int:
    chosen, told = options(), Told()
    with thrown_away(tempfile.mkdtemp(prefix="faults-")) as folder:
        if chosen.here is None:
            words = [*sys.argv[1:], "--here", str(chosen.base or folder)]
            go_on_in_a_copy("tests.faults", folder / "code", words, whole=chosen.whole)
        reads = try_all(chosen, folder, told)
    for name, count in sorted(told.counts.items()):
        told.say(f"{count:6d}  {name}")
    told.say(f"{reads:6d}  reads meanwhile; {len(told.wrong)} things did not hold")
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
