"""Small release files with figures as the published view has them, for what compares two of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

COLUMNS = {
    "series_key": "varchar", "indicator": "varchar", "freq": "varchar", "time_period": "varchar",
    "period_start_date": "date", "period_end_date": "date", "ref_area": "varchar", "counterpart_area": "varchar",
    "sex": "varchar", "age": "varchar", "source": "varchar", "data_kind": "varchar", "vintage": "varchar",
    "citizenship": "varchar", "unit_measure": "varchar", "obs_value": "double", "n_obs": "bigint",
    "standard_error": "double", "obs_status": "varchar", "conf_status": "varchar",
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One figure of a year; `hidden` has a row and no value."""

    indicator: str
    source: str
    year: int
    value: float
    area: str = "TUN"
    partner: str = "_Z"
    citizenship: str = "_T"
    sex: str = "_T"
    vintage: str = "_Z"
    records: int | None = None
    error: float | None = None
    unit: str = "PERSONS"
    month: int = 0
    hidden: bool = False

    def row(self) -> tuple[Any, ...]:
        key = f"{self.indicator}.{self.source}.{self.area}.{self.partner}.{self.citizenship}.{self.sex}"
        period = f"{self.year}-{self.month:02d}" if self.month else str(self.year)
        first = f"{self.year}-{self.month or 1:02d}-01"
        last = f"{self.year}-{self.month or 12:02d}-28"
        value, records = (None, None) if self.hidden else (self.value, self.records)
        return (
            key, self.indicator, "M" if self.month else "A", period, first, last, self.area, self.partner, self.sex,
            "_T", self.source, "synthetic", self.vintage, self.citizenship, self.unit, value, records, self.error, "A",
            "C" if self.hidden else "F",
        )  # fmt: skip


def write(path: Path, figures: Iterable[Figure]) -> Path:
    """A DuckDB file with these figures, and with two areas below the country."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    con = duckdb.connect(str(path))
    con.execute("create schema published")
    con.execute(f"create table published.indicator_value ({', '.join(f'{n} {t}' for n, t in COLUMNS.items())})")
    rows = [one.row() for one in figures]
    if rows:
        con.executemany(f"insert into published.indicator_value values ({', '.join('?' * len(COLUMNS))})", rows)
    con.execute("create schema reference")
    con.execute(
        "create table reference.areas as select unnest(['TUN', 'TN-11', 'TN-12']) as area_code, 'TUN' as country_code"
    )
    con.close()
    return path


CENSUS = [
    *(Figure("P01", "rgph", year, value, records=int(value)) for year, value in ((2014, 10_000.0), (2024, 11_000.0))),
    *(
        Figure("A01", "rgph", year, value, area, citizenship=one, records=int(value))
        for year in (2014, 2024)
        for area, one, value in (
            ("TUN", "_T", 2_000.0),
            ("TUN", "LBY", 1_000.0),
            ("TUN", "FRA", 900.0),
            ("TUN", "ITA", 100.0),
            ("TN-11", "_T", 1_500.0),
            ("TN-12", "_T", 500.0),
        )
    ),
]


def scaled(figures: Iterable[Figure], by: float, **which: Any) -> list[Figure]:
    """The figures, those with these attributes times a number."""
    return [
        replace(one, value=one.value * by) if all(getattr(one, name) == value for name, value in which.items()) else one
        for one in figures
    ]
