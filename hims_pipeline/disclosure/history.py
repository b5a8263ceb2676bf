"""What earlier releases showed and withheld, figure by figure: a file beside a build, `earlier.parquet`.

Each release keeps the decisions on its figures, and all that were others before, in its staff file; a build takes those
of the last release that is whole. Not here: what follows from them (`protect`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hims_pipeline.sql import literal

EARLIER, TABLE = "earlier.parquet", "indicators.ind_disclosed"
COLUMNS = "series_key, time_period, vintage, counted, base, records, value, is_shown"


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
