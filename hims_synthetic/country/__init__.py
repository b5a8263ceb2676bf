"""The synthetic country: all who ever lived in it or left it, and where each of them lived on each day.

`open_country` builds it in one DuckDB connection, at any scale, the same for the same seed. Others read two views:

`persons` (person_no, sex, birth_date, death_date, birth_country, birth_governorate, citizenship, second_citizenship,
national_id, passport_no, given_no, family_no, education, occupation, branch) and `stays` (person_no, stay_no,
from_date, to_date, country, governorate, delegation, reason, route). A stay holds from `from_date` up to the day
before `to_date`; without `to_date` it holds still. The stays of a person follow each other without gap or overlap
from birth to death: on the day of death a person lives nowhere. `names` (part M, F or family; no; latin, arabic) is
what `given_no` and `family_no` point at. `u(stream, i)` is uniform in [0, 1). A writer whose source gives out numbers
of its own says in `true_keys` (source, column_name, number, person_no) whose they are, for the truth.

Totals are the recipe's times the scale, so that at scale 1.0 published figures come out exactly. Not here: what a
source knows of these persons, and how wrongly; that is the writer of each source.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_synthetic.country.flows import Flows, make_flows
from hims_synthetic.country.life import live
from hims_synthetic.country.people import settle_people
from hims_synthetic.country.tables import make_macros, make_tables, make_views
from hims_synthetic.recipe import Recipe, load_recipe
from hims_synthetic.streams import load_streams

SEED = 42


@dataclass(frozen=True)
class Country:
    """The country as writers of sources meet it.

    Args:
        con: connection with `persons`, `stays`, `names`, `nationalities`, `u`; made up by `scratch` for tables beyond
            memory.
        scale: 1.0 stands for the whole country, 0.01 for one person in a hundred.
        recipe: the tables under `data/samples/recipe`.
        flows: the numbers of events by period.
    """

    con: duckdb.DuckDBPyConnection
    scale: float
    seed: int
    recipe: Recipe
    flows: list[Flows]

    def count(self, total: float) -> int:
        """A total of the real country at this country's scale."""
        return round(total * self.scale)


@contextmanager
def open_country(
    settings: Settings,
    seed: int = SEED,
    scale: float = 0.01,
    say: Callable[[str], None] = lambda text: None,
    scratch: Path | None = None,
) -> Iterator[Country]:
    """Build the country, and keep it as long as the block lasts.

    Args:
        say: is told about progress.
        scratch: folder for spill files; they hold invented persons only.

    Raises:
        HimsError: this observatory's data have no recipe, or one that asks for what cannot be.
    """
    recipe = load_recipe(settings.data / "samples" / "recipe")
    start, flows = make_flows(recipe, scale)
    with connection(settings, spill=scratch) as con:
        load_streams(con, recipe, seed)
        make_macros(con, recipe)
        make_tables(con)
        next_no = settle_people(con, recipe, start)
        say(f"country: {next_no - 1:,} persons on {start.on}")
        for flow in flows:
            next_no = live(con, recipe, flow, next_no)
            say(f"country: {next_no - 1:,} persons until {flow.to_date}")
        make_views(con, recipe)
        con.execute("create table true_keys (source varchar, column_name varchar, number varchar, person_no bigint)")
        yield Country(con, scale, seed, recipe, flows)
