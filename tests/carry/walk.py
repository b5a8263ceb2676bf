"""A seeded walk of changes over a small warehouse: after each one, what a build carried over and made anew must equal,
table by table, what a full build makes of the same. `python -m tests.carry.walk 40 [SEED]`, or `make walk`."""

import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.carry.conftest import make_world
from tests.carry.world import World

CODES = ("x", "y", "z", "_U")


def some_rows(chance: random.Random) -> list[tuple[str, int]]:
    return [(chance.choice(CODES), chance.randrange(100)) for _ in range(chance.randrange(1, 6))]


def edited(name: str, old: str, new: str) -> Callable[[World, random.Random], None]:
    """A change that puts one text for another, and the next time the other way round."""

    def change(world: World, chance: random.Random) -> None:
        text = world.files[name]
        world.files[name] = text.replace(new, old) if new in text else text.replace(old, new)

    return change


def deliver(source: str) -> Callable[[World, random.Random], None]:
    def change(world: World, chance: random.Random) -> None:
        world.sent[source, str(2021 + chance.randrange(4))] = some_rows(chance)  # new, or in place of an earlier one

    return change


def withdraw(world: World, chance: random.Random) -> None:
    if len(world.sent) > 1:
        del world.sent[chance.choice(sorted(world.sent))]


def edit_policy(world: World, chance: random.Random) -> None:
    path = world.settings.data / "observatory.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("minimum_count: 10", f"minimum_count: {chance.randrange(11, 99)}"), encoding="utf-8")


def edit_contract(world: World, chance: random.Random) -> None:
    world.universes[chance.choice("ab")] = chance.choice(["u", "w", "everybody"])


def add_or_remove_indicator(world: World, chance: random.Random) -> None:
    name, both = "models/indicators/ind_third.sql", "['ind_counts', 'ind_others']"
    if world.files.pop(name, None) is None:
        world.files[name] = world.files["models/indicators/ind_counts.sql"].replace("'counts'", "'third'")
        world.files["macros/lists.sql"] = world.files["macros/lists.sql"].replace(both, f"{both[:-1]}, 'ind_third']")
    else:
        world.files["macros/lists.sql"] = world.files["macros/lists.sql"].replace(", 'ind_third'", "")


def killed_build(world: World, chance: random.Random) -> None:
    """A build that ends before it is whole: what was kept before it stays as it was."""
    world.sent["a", "2030"] = some_rows(chance)
    with world.prepared(full=False) as (made, _):
        (made.folder / "warehouse.duckdb").open("ab").close()
    if chance.random() < 0.5:
        del world.sent["a", "2030"]


def damage_kept_file(world: World, chance: random.Random) -> None:
    path = next(world.settings.kept.glob("warehouse-*"))
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1
    path.write_bytes(content)


def lose_kept_record(world: World, chance: random.Random) -> None:
    path = world.settings.kept / "nodes.json"
    path.write_bytes(path.read_bytes()[:-20]) if chance.random() < 0.5 else path.unlink()


def move_home(world: World, chance: random.Random) -> None:
    """The installation moves to another folder: what a view names lies elsewhere, and says the same."""
    home = world.settings.home.with_name(f"home-{chance.randrange(10**6)}")
    world.settings.home.rename(home)
    world.settings = type(world.settings)(**{**world.settings.__dict__, "home": home})
    shutil.rmtree(world.settings.rendered)


CHANGES: dict[str, Callable[[World, random.Random], None]] = {
    "delivery of a": deliver("a"),
    "delivery of b": deliver("b"),
    "withdrawal": withdraw,
    "code list": edited("seeds/codes.csv", "The first", "A first"),
    "another code list": edited("seeds/names.csv", "somebody", "nobody"),
    "contract": edit_contract,
    "policy": edit_policy,
    "indicator": edited("models/indicators/ind_others.sql", "'others'", "'other ones'"),
    "macro": edited("macros/weighed.sql", "1 * ", "2 * "),
    "macro of all facts": edited("macros/lists.sql", "'ind_counts', 'ind_others'", "'ind_others', 'ind_counts'"),
    "what is published": edited("models/published/indicator_value.sql", "codes.label", "upper(codes.label) as label"),
    "view or table": edited("models/published/v_values.sql", "'view'", "'table'"),
    "comment": edited("models/conformed/fct_others.sql", "from sent\n", "from sent -- all of them\n"),
    "test": edited("tests/labels_are_known.sql", "n < 0", "n < -1"),
    "indicator that comes or goes": add_or_remove_indicator,
    "killed build": killed_build,
    "damaged file": damage_kept_file,
    "lost record": lose_kept_record,
    "moved home": move_home,
    "nothing": lambda world, chance: None,
}


def walk(world: World, steps: int, seed: int) -> list[str]:
    """Change, build, build everything, compare; returns what differed, a text each, and what each step built."""
    chance, told = random.Random(seed), []  # noqa: S311
    world.build()
    order = [name for _ in range(steps // len(CHANGES) + 1) for name in chance.sample(sorted(CHANGES), len(CHANGES))]
    for step, name in enumerate(order[:steps], 1):
        CHANGES[name](world, chance)
        carried, anew = world.build()
        full, everything = world.build(full=True, keep_it=False)
        differ = sorted(one for one in full.keys() | carried.keys() if full.get(one) != carried.get(one))
        text = f"step {step}, {name}: {len(anew)} of {len(everything)} built"
        told.append(f"{text}, DIFFER: {', '.join(differ)}" if differ else text)
    return told


def main() -> int:
    steps, seed = (int(word) for word in (*sys.argv[1:3], *("40", "1")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        told = walk(make_world(Path(folder)), steps, seed)
    print("\n".join(told))
    return any("DIFFER" in one for one in told)


if __name__ == "__main__":
    sys.exit(main())
