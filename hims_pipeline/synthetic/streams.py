"""Random numbers that stay the same for years, and the recipe as tables.

Numbers come from md5 over seed, stream and index: unlike DuckDB's own `hash`, md5 will not change with a version, so
the files made today can be made again. Not here: what the numbers stand for (`census`, `borders`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from hims_pipeline.errors import HimsError
from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection, literal

RECIPE = {
    "governorates": "governorate varchar, persons_2014 bigint, persons_2024 bigint, foreigners_weight double",
    "ages": "first_age bigint, last_age bigint, percent_2014 decimal, percent_2024 decimal",
    "nationalities": "country varchar, code_2014 varchar, percent_2014 decimal, percent_2024 decimal, "
    "percent_passages decimal, percent_citizens_abroad decimal",
    "names": "part varchar, latin varchar, arabic varchar",
}
MARK = "SYNTHETIC"
HOME = "TUN"  # the country of the recipe


@contextmanager
def recipe_connection(settings: Settings, seed: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with the recipe's tables and the macro `u(stream, index)`, uniform in [0, 1).

    Raises:
        HimsError: this observatory's data have no recipe.
    """
    folder = settings.data / "samples" / "recipe"
    if missing := [name for name in RECIPE if not (folder / f"{name}.csv").is_file()]:
        raise HimsError(
            f"data/samples/recipe has no {', '.join(missing)}: without a recipe there is no sample to make."
        )
    with connection(settings) as con:
        con.execute(
            "create macro u(stream, index) as "
            f"cast('0x' || substr(md5('{int(seed)}:' || stream || ':' || index), 1, 13) as bigint) / 4503599627370496.0"
        )
        for name, columns in RECIPE.items():
            types = ", ".join(f"'{part.split()[0]}': '{part.split()[1]}'" for part in columns.split(", "))
            con.execute(
                f"create table {name} as select row_number() over () as n, * from read_csv("
                f"{literal(folder / f'{name}.csv')}, columns = {{{types}}}, header = true, auto_detect = false)"
            )
        yield con


def write_csv(
    con: duckdb.DuckDBPyConnection, query: str, path: Path, delimiter: str = ",", encoding: str = "utf-8"
) -> Path:
    """Write a query's rows, in its order, as one delimited file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"copy ({query}) to {literal(path)} (format csv, header true, delimiter {literal(delimiter)})")
    if encoding != "utf-8":
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    return path
