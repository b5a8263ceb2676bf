"""The census waves of the synthetic sample: one record for 1,000 residents, in households, each wave in its own layout.

Governorates have their published size, ages and sexes follow the recipe's shares, and foreigners, returnees and movers
are as many as published or assumed in `WAVES`. Nothing else about these persons means anything.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from hims_pipeline.synthetic import census_sql as sql
from hims_pipeline.synthetic.streams import MARK, write_csv


@dataclass(frozen=True)
class Wave:
    """One wave. Counts are records, each standing for 1,000 residents.

    Args:
        first_id: where the numbering of its records begins, so that waves draw from different streams.
        household_size: mean persons a household.
        percent_women: of all residents.
        foreigners: residents of foreign citizenship.
        arrived: foreigners who lived abroad five years before.
        returned: citizens who lived abroad five years before.
        percent_moved: lived elsewhere in the country five years before.
    """

    year: str
    first_id: int
    household_size: float
    percent_women: float
    foreigners: int
    arrived: int
    returned: int
    percent_moved: float


WAVES = (
    # 10,982,754 residents in 2,712,976 households and 53,490 foreigners are published; the rest is assumed.
    Wave("2014", 1_000_000, 4.05, 50.2, 53, 11, 25, 9.0),
    # Women, foreigners (0.55 %), 14,570 arrivals, 20,683 returnees and 928,924 movers are published.
    Wave("2024", 2_000_000, 3.60, 50.7, 66, 15, 21, 7.8),
)


def write_wave(con: duckdb.DuckDBPyConnection, wave: Wave, out: Path) -> Path:
    """Write the person file of one wave into `out`; returns its path."""
    for name, query in (
        ("people", sql.PEOPLE),
        ("heads", sql.HEADS),
        ("couples", sql.COUPLES),
        ("members", sql.MEMBERS),
        ("origins", sql.ORIGINS),
        ("answers", sql.ANSWERS),
    ):
        con.execute(f"create or replace table {name} as {query.format_map(vars(wave))}")
    path = out / f"rgph_persons_{wave.year}_{MARK}.csv"
    if wave.year == "2014":
        return write_csv(con, sql.LAYOUT_2014, path, delimiter=";", encoding="windows-1256")
    return write_csv(con, sql.LAYOUT_2024, path)
