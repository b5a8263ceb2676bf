"""`python -m tests.mutants [--only SOURCE] [--seed N] [--folder DIR]`: mutants and honest variants through the gate."""

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from random import Random

from hims_pipeline.contracts.yaml_records import read_yaml
from hims_pipeline.gates.predecessor_evidence import set_beside
from hims_pipeline.gates.references import FOLDER, reference_name, write_reference
from hims_pipeline.gates.suites import load_suite, suite_file
from hims_pipeline.sql import connection
from tests.mutants.honest import HONEST, follow
from tests.mutants.kinds import CLASSES
from tests.mutants.sheets import Sheet
from tests.mutants.ties import MOVED, tell_equivalent, tell_unseen
from tests.mutants.world import Judged, Known, World

OTHER_SEEDS = (43, 44)
STOPPED, STOPPED_OF = 0.95, {"class": 0.90, "source": 0.85}  # shares of mutants: of all, of each class and source
REFUSED = 0.01  # share of honest deliveries
Result = tuple[str, str, str, str, Judged]  # class, name, source, entity


def main() -> None:
    """Run all, print the table, and end with 1 where a goal is missed."""
    options = _options()
    if options.scale:
        options.skip = "mutants"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(options.folder or folder)
        world = World(
            place, options.seed, tuple(options.only), options.real, options.quick, options.factor, options.scale
        )
        mutants, honest = [], []
        if options.pin:
            return _pin(world)
        world.learn = [] if options.learn else None
        for source, several in world.known.items():
            for place_in, one in enumerate(several):
                world.read(one)
                honest.append(("honest", "as_it_is", source, one.period, world.accept(one, several[:place_in])))
            learn, world.learn = world.learn, None
            if options.skip != "mutants":
                clean = tuple(f"{code} {of}" for code, of in sorted(world.lay_beside(source)) if of == source)
                honest.append(("honest", "among_others", source, "", Judged(clean)))
                mutants += _mutants(world, several, options.seed, options.most)
            world.learn = learn
            if options.skip != "honest":
                honest += _variants(world, several, options.seed)
            _say(source, [*mutants, *honest], f"{time.monotonic() - began:6.0f} s")
        if options.skip != "honest":
            honest += _other_seeds(world, place, options)
        if options.learn:
            Path(options.learn).write_text(json.dumps(world.learn))
    missed = _tell(mutants, honest, options.json)
    if options.skip != "mutants":
        _tell_untripped(world, [*mutants, *honest])
    print(f"{time.monotonic() - began:.0f} s", *missed, sep="\n")
    sys.exit(bool(missed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--seeds", type=int, default=len(OTHER_SEEDS), help="other draws of the whole country")
    parser.add_argument("--real", type=Path, help="real public deliveries too, below this folder")
    parser.add_argument("--quick", action="store_true", help="ask the rules in DuckDB directly, for trying limits out")
    parser.add_argument("--pin", action="store_true", help="pin the first delivery of each source as its reference")
    parser.add_argument("--learn", help="writes what honest deliveries show, by measure, there (with --quick)")
    parser.add_argument("--factor", type=float, default=1.0, help="samples of another scale")
    parser.add_argument(
        "--scale", type=float, default=0.0, help="honest deliveries alone, all sources at this one scale, as they are"
    )
    parser.add_argument("--most", type=int, default=0, help="mutants of each source, drawn by chance; all without it")
    parser.add_argument("--folder", help="keeps samples between runs")
    parser.add_argument("--skip", choices=("mutants", "honest"), default="")
    parser.add_argument("--json", help="writes every result there")
    return parser.parse_args()


def _pin(world: World) -> None:
    """Write the profiles of each source's first and last delivery into `expectations/references`, to be reviewed."""
    for source, several in world.known.items():
        for one in {several[0].period: several[0], several[-1].period: several[-1]}.values():
            world.read(one)
            found = set_beside(world.settings, world.contracts[source], one.period, one.typed, ())
            with connection(world.settings) as con:
                path = world.settings.expectations / FOLDER / reference_name(world.contracts[source], one.period)
                write_reference(con, found.profiles, path)


def _targets(several: list[Known]) -> list[tuple[Known, Sheet]]:
    """The last delivery of each entity, with the one before it."""
    found: dict[str, tuple[Known, Sheet]] = {}
    for one in several:
        for sheet in one.sheets:
            before = found.get(sheet.name)
            found[sheet.name] = (one, replace(sheet, before=before[1] if before else None))
    return list(found.values())


def _mutants(world: World, several: list[Known], seed: int, most: int) -> list[Result]:
    """All mutants of a source, or as many as asked for, drawn by chance."""
    found: list[Result] = []
    every = [
        (known, sheet, kind, name, mutate)
        for known, sheet in _targets(several)
        for kind, mutations in CLASSES.items()
        for name, mutate in mutations.items()
    ]
    if most:
        Random(f"{seed} {several[0].source}").shuffle(every)  # noqa: S311
    for known, sheet, kind, name, mutate in every:
        if 0 < most <= len(found):
            break
        changed = mutate(sheet.copy(), Random(f"{seed} {sheet.contract.source} {sheet.name} {name}"))  # noqa: S311
        if changed is not None and (changed.raw or changed.rows != sheet.rows):
            judged = world.send(known, changed, across=True)
            if not judged.refused_by:
                periods = [own for one in several for own in one.sheets if own.name == sheet.name]
                why = tell_equivalent(sheet, changed) if name in MOVED else tell_unseen(name, sheet, changed, periods)
                judged = replace(judged, equivalent=why)
            found.append((kind, name, known.source, sheet.name, judged))
    return found


def _variants(world: World, several: list[Known], seed: int) -> list[Result]:
    found: list[Result] = []
    for known, sheet in _targets(several):
        for name, vary in HONEST.items():
            changed = vary(sheet.copy(), Random(f"{seed} {sheet.contract.source} {sheet.name} {name}"))  # noqa: S311
            if changed is not None:
                others = follow(changed, sheet, [one for one in known.sheets if one.name != sheet.name])
                found.append(("honest", name, known.source, sheet.name, world.send(known, changed, others=others)))
    return found


def _other_seeds(world: World, place: Path, options: argparse.Namespace) -> list[Result]:
    """The last delivery of each source as another draw of the same country sends it, after the first one's."""
    found: list[Result] = []
    for seed in OTHER_SEEDS[: options.seeds]:
        other = World(place, seed, tuple(options.only), None, world.quick, options.factor, options.scale)
        other.learn = world.learn
        for source, several in other.known.items():
            last = several[-1]
            other.read(last)
            last.before = world.known[source][-1].before
            found.append(("honest", f"seed_{seed}", source, last.period, world.judge(last, last.typed)))
    return found


def _say(source: str, results: list[Result], when: str) -> None:
    """Progress: what of a source got through that should not, and the other way round."""
    own = [one for one in results if one[2] == source and not one[4].equivalent]
    through = [f"{one[1]}/{one[3]}" for one in own if one[0] != "honest" and not one[4].refused_by]
    back = [
        f"{one[1]}/{one[3]}: {' '.join(one[4].refused_by)}" for one in own if one[0] == "honest" and one[4].refused_by
    ]
    count = sum(one[0] != "honest" for one in own)
    print(f"{when}  {source}: {count - len(through)} of {count} stopped; survived: {', '.join(through) or 'none'}"
          f"; refused: {'; '.join(back) or 'none'}", file=sys.stderr, flush=True)  # fmt: skip


def _tell(sent: list[Result], honest: list[Result], path: str | None) -> list[str]:
    """Print the tables and what came out otherwise than it should; the goals that are missed."""
    mutants = [one for one in sent if not one[4].equivalent]
    missed = []
    for title, place in (("class", 0), ("source", 2)) if mutants else ():
        groups: dict[str, list[bool]] = defaultdict(list)
        for one in mutants:
            groups[one[place]].append(bool(one[4].refused_by))
        print(f"\n{title:24} mutants  stopped")
        for name, outcomes in sorted(groups.items()):
            share = sum(outcomes) / len(outcomes)
            print(f"{name:24} {len(outcomes):7}  {share:6.0%}")
            missed += [f"MISSED  {title} {name}: {share:.0%} stopped"] if share < STOPPED_OF[title] else []
    refused = [one for one in honest if one[4].refused_by]
    if mutants:
        stopped = sum(bool(one[4].refused_by) for one in mutants)
        print(f"\nof {len(mutants)} mutants {stopped} were stopped: {stopped / len(mutants):.1%}")
        missed += [f"MISSED  {stopped} of {len(mutants)} stopped"] if stopped < STOPPED * len(mutants) else []
    if honest:
        print(f"of {len(honest)} honest deliveries {len(refused)} were refused: {len(refused) / len(honest):.1%}")
        missed += [f"MISSED  {len(refused)} honest refused"] if len(refused) > REFUSED * len(honest) else []
    reasons = read_yaml(Path(__file__).with_name("survivors.yml"))
    for kind, name, source, entity, judged in mutants:
        if not judged.refused_by:
            why = reasons.get(f"{name} of {source}/{entity}", "no reason is written; stop it, or say why nothing can")
            print(f"SURVIVED  {kind}: {name} of {source}/{entity}  {' '.join(judged.warned_by)}: {why}")
    for kind, name, source, entity, judged in sent:
        if judged.equivalent:
            print(f"EQUIVALENT  {kind}: {name} of {source}/{entity}: {judged.equivalent}")
    for _, name, source, entity, judged in refused:
        print(f"REFUSED   {name} of {source}/{entity}: {' '.join(judged.refused_by)}")
    if path:
        Path(path).write_text(
            json.dumps(
                [[*one[:4], one[4].refused_by, one[4].warned_by, one[4].equivalent] for one in (*sent, *honest)],
                indent=0,
            )
        )
    return missed


def _tell_untripped(world: World, results: list[Result]) -> None:
    """The judgement rules that no mutant tripped, and why, from `reasons.yml`. Each has a case of its own in the tests:
    `tests/contracts` spoils the real deliveries rule by rule, `tests/synthetic` the sample's."""
    tripped = {code for one in results for code in one[4].refused_by + one[4].warned_by}
    rules = {
        one.meta.code
        for source in world.known
        for entity in world.contracts[source].entities
        if (path := suite_file(world.settings.expectations, source, entity)).exists()
        for one in load_suite(path).expectations
    }
    reasons = read_yaml(Path(__file__).with_name("reasons.yml"))
    print(f"of {len(rules)} judgement rules {len(rules & tripped)} were tripped")
    for code in sorted(rules - tripped):
        print(f"UNTRIPPED  {code}: {reasons.get(code, 'no reason is written; add a kind of mutant, or the reason')}")


if __name__ == "__main__":
    main()
