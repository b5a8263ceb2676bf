"""What earlier releases showed and withheld, figure by figure: a file beside a build, `earlier.parquet`.

Each release keeps the decisions on its figures, and all that were others before, in its staff file; a build takes those
of the last release that is whole. Not here: what follows from them (`protect`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

from hims_pipeline.disclosure.figures import Figure
from hims_pipeline.sql import literal

Key = tuple[str, str, str]  # series_key, time_period, vintage

EARLIER, TABLE = "earlier.parquet", "indicators.ind_disclosed"
COLUMNS = "series_key, time_period, vintage, counted, base, records, value, is_shown"


@dataclass(frozen=True, slots=True)
class State:
    """What a release had of a figure: the records behind it, its value, and whether it was shown."""

    counted: float | None
    base: float | None
    records: float | None
    value: float | None
    shown: bool

    def __iter__(self) -> Iterator[Any]:
        return iter((self.counted, self.base, self.records, self.value, self.shown))


def change_of(figure: Figure, state: State) -> float:
    """Records by which a figure differs from what it was: the smallest difference of its counts that is one; 0 where it
    is the same."""
    pairs = ((figure.counted, state.counted), (figure.base, state.base), (figure.records, state.records))
    found = [
        abs(a - b) for a, b in pairs if a is not None and b is not None and not isnan(a) and not isnan(b) and a != b
    ]
    return min(found, default=0.0)


def write_earlier(con: Any, last: Path, folder: Path) -> None:
    """Put the decisions of the last release beside a build; nothing where that release had none.

    Args:
        con: a connection to no file.
        last: the staff file of the last release.
        folder: of the build.
    """
    con.execute(f"attach {literal(last)} as last_release (read_only)")
    known = "select 1 from duckdb_tables() where database_name = 'last_release' and table_name = 'ind_disclosed'"
    if con.execute(known).fetchall():
        rows = f"select distinct {COLUMNS} from last_release.{TABLE} order by all"
        con.execute(f"copy ({rows}) to {literal(folder / EARLIER)} (format parquet)")
    con.execute("detach last_release")


def earlier_decisions(con: Any) -> Sequence[Sequence[Any]]:
    """What lies beside the build that a connection is open to; nothing where it is no build of a release."""
    places = [path for _, _, path in con.execute("pragma database_list").fetchall() if path]
    for place in places:
        path = Path(place).parent / EARLIER
        if path.exists():
            return con.execute(f"select {COLUMNS} from read_parquet({literal(path)}) order by all").fetchall()
    return []
