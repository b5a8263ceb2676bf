"""Random numbers that are the same for the same seed, the recipe's tables that SQL reads, and writing of files.

A number comes from DuckDB's `hash`, mixed with a constant of stream and seed and hashed again: 20 million of them take a
second, where md5 takes half a minute. `hash(i, 'a')` and `hash(i, 'b')` share low bits; here the constant goes in
before the last hash (as in `hash(i * 64 + s)`), and two streams show no correlation. The function belongs to the DuckDB
version of the lock file: with another version the same seed may give other bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal

RECIPE = {
    "nationalities": "country varchar, code_2014 varchar, percent_passages double, dual_born_there double, "
    "dual_naturalised double",
    "names": "part varchar, latin varchar, arabic varchar",
    "spellings": "latin varchar, variant varchar",
    "titles": "source varchar, line varchar",
    "consulates": "country varchar, post varchar",
    "employers": "employer varchar",
    "residence_cards": "reason varchar, purpose varchar, percent_with_card bigint, months_valid bigint, "
    "days_to_obtain bigint",
    "work_authorisations": "period varchar, country varchar, permits bigint, known varchar",
    "consular_register": "period varchar, sex varchar, persons bigint, excluded varchar, known varchar",
    "foreign_students": "period varchar, sector varchar, region varchar, persons bigint, known varchar",
    "students_abroad": "period varchar, country varchar, persons bigint, known varchar",
    "student_departures": "period varchar, level varchar, persons bigint, known varchar",
}
# Countries as an office writes them in French: without accents on capitals, which Windows-1256 does not have.
_PLACES = """
create table places as
with lists as (select * from read_csv('{folder}/xwalk_country.csv', header = true, all_varchar = true)),
countries as (select * from read_csv('{folder}/countries.csv', header = true, all_varchar = true))
select country_code as country, min_by(code, (code != strip_accents(code), length(code), code)) as name_fr,
    any_value(subregion_m49) as subregion_m49
from lists join countries using (country_code)
where scheme = 'FR_NAMES'
group by country_code
"""
MARK = "SYNTHETIC"
HOME = "TUN"  # the country of the recipe; the only place that says so


@contextmanager
def recipe_connection(
    settings: Settings, seed: int, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with the recipe's tables and the macro `u(stream, i)`, uniform in [0, 1).

    Raises:
        HimsError: this observatory's data have no recipe.
    """
    folder = settings.data / "samples" / "recipe"
    if missing := [name for name in RECIPE if not (folder / f"{name}.csv").is_file()]:
        raise HimsError(
            f"data/samples/recipe has no {', '.join(missing)}: without a recipe there is no sample to make."
        )
    with connection(settings, spill=spill) as con:
        con.execute(
            f"create macro u(stream, i) as (hash(xor(hash(i), hash(stream || ':{int(seed)}'))) >> 11) / 9007199254740992.0"
        )
        for name, columns in RECIPE.items():
            kept = ", ".join(
                f"cast({column} as {kind}) as {column}"
                for column, kind in (part.split() for part in columns.split(", "))
            )
            con.execute(
                f"create table {name} as select row_number() over () as n, {kept} from read_csv("
                f"{literal(folder / f'{name}.csv')}, header = true, all_varchar = true)"
            )
        con.execute(_PLACES.format(folder=settings.data / "codelists"))
        yield con


def write_csv(
    con: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    delimiter: str = ",",
    encoding: str = "utf-8",
    header: bool = True,
) -> Path:
    """Write a query's rows, in its order, as one delimited file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = f"format csv, header {str(header).lower()}, delimiter {literal(delimiter)}"
    con.execute(f"copy ({query}) to {literal(path)} ({form})")
    if encoding != "utf-8":
        recoded = path.with_name(path.name + ".recoded")
        with path.open(encoding="utf-8", newline="") as source, recoded.open("w", encoding=encoding, newline="") as to:
            while block := source.read(1 << 24):
                to.write(block)
        recoded.replace(path)
    return path
