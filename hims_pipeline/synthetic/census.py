"""The census of the synthetic country, wave by wave: each in its own layout, residents in households.

Persons are those of the country, and what they say of themselves is true but for some answers that are missing; only
households are made up here. Not here: the queries (`census_sql`).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from hims_pipeline.sql import literals
from hims_pipeline.synthetic import census_sql as sql
from hims_pipeline.synthetic.country import Country
from hims_pipeline.synthetic.sample import Sample
from hims_pipeline.synthetic.streams import MARK, write_csv

CHUNK = 700_000  # residents whose households are made at a time: what keeps memory small at full scale


@dataclass(frozen=True)
class Wave:
    """One wave: census day, the day five years before, and mean persons a household."""

    year: str
    day: str
    before: str
    household_size: float


WAVES = (
    # 10,982,754 residents in 2,712,976 households are published; the size of 2024 follows from about 3.3 million.
    Wave("2014", "2014-04-23", "2009-04-23", 4.05),
    Wave("2024", "2024-11-06", "2019-11-06", 3.60),
)


def write(country: Country, out: Path) -> list[Sample]:
    """One delivery a wave under `out/rgph/<year>/`."""
    return [Sample("rgph", wave.year, write_wave(country, wave, out / "rgph" / wave.year)) for wave in WAVES]


def write_wave(country: Country, wave: Wave, out: Path) -> list[Path]:
    """Write the files of one wave into `out`; returns their paths."""
    con = country.con
    con.execute(f"create or replace temp table residents as {sql.RESIDENTS.format_map(asdict(wave))}")
    path = out / f"rgph_persons_{wave.year}_{MARK}.csv"
    for number, places in enumerate(chunks(con)):
        for name, query in (
            ("people", sql.PEOPLE),
            ("heads", sql.HEADS),
            ("couples", sql.COUPLES),
            ("members", sql.MEMBERS),
            ("answers", sql.ANSWERS),
        ):
            con.execute(f"create or replace temp table {name} as {query.format(places=places, **asdict(wave))}")
        append_csv(con, sql.LAYOUT_2014 if wave.year == "2014" else sql.LAYOUT_2024, path, wave.year, number)
    con.execute("drop table residents")
    return [path]


def chunks(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """SQL lists of governorates, in order, with about `CHUNK` residents each."""
    sizes = con.execute("select governorate, count(*) from residents group by all order by 1").fetchall()
    held: list[str] = []
    reached = 0
    for place, persons in sizes:
        held.append(place)
        reached += persons
        if reached >= CHUNK:
            yield literals(held)
            held, reached = [], 0
    if held:
        yield literals(held)


def append_csv(con: duckdb.DuckDBPyConnection, query: str, path: Path, year: str, number: int) -> None:
    """Add a query's rows to the file; the first part brings the header."""
    form = {"delimiter": ";", "encoding": "windows-1256"} if year == "2014" else {}
    part = write_csv(con, query, path.with_suffix(".part"), header=number == 0, **form)
    if number == 0:
        path.unlink(missing_ok=True)
    with part.open("rb") as source, path.open("ab") as target:
        while block := source.read(1 << 24):
            target.write(block)
    part.unlink()
