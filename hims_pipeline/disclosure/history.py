"""What was decided before, figure by figure, in two files beside a build.

    build/<run>/earlier.parquet    what earlier releases showed and withheld
    build/<run>/decided.parquet    what the last build decided, part by part, where it was made by the same code

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

Decided = dict[str, dict[Key, str]]  # basis of a part of the figures -> figure that is withheld -> rule

EARLIER, DECIDED, TABLE = "earlier.parquet", "decided.parquet", "indicators.ind_disclosed"
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
    changes = [
        abs(a - b) for a, b in pairs if a is not None and b is not None and not isnan(a) and not isnan(b) and a != b
    ]
    return min(changes, default=0.0)


SHOWN_THEN = """
    select series.series_key, time_period, vintage, null::double as counted, null::double as base,
        n_obs::double as records, obs_value as value, true as is_shown
    from last_release.published.indicator_observation as figures
    join last_release.published.indicator_series as series on figures.series_no = series.series_no
    where n_obs is not null and conf_status = 'F' order by all
"""


def write_earlier(con: Any, last: Path, folder: Path) -> None:
    """Put the decisions of the last release beside a build; of one that kept none, what it showed.

    Args:
        con: a connection to no file.
        last: the staff file of the last release.
        folder: of the build.
    """
    con.execute(f"attach {literal(last)} as last_release (read_only)")
    listed = con.execute("select table_name from duckdb_tables() where database_name = 'last_release'").fetchall()
    known = {name for (name,) in listed}
    if "ind_disclosed" in known:
        rows = f"select distinct {COLUMNS} from last_release.{TABLE} order by all"
    else:
        rows = SHOWN_THEN
    if known & {"ind_disclosed", "indicator_series"}:
        con.execute(f"copy ({rows}) to {literal(folder / EARLIER)} (format parquet)")
    con.execute("detach last_release")


def write_decided(con: Any, folder: Path) -> None:
    """Put what the last build decided beside tonight's.

    Args:
        con: a connection to the copy of the last build's file.
        folder: of tonight's build.
    """
    rows = f"select decided_from, series_key, time_period, vintage, rule from {TABLE} where is_tonight order by all"
    con.execute(f"copy ({rows}) to {literal(folder / DECIDED)} (format parquet)")


def earlier_decisions(con: Any) -> Sequence[Sequence[Any]]:
    """What earlier releases showed and withheld; nothing where a connection is open to no build of a release."""
    return _read_beside(con, EARLIER, COLUMNS)


def last_decisions(con: Any) -> Decided:
    """What the last build decided; nothing where none lies beside the build that a connection is open to."""
    decided: Decided = {}
    for basis, *key, rule in _read_beside(con, DECIDED, "decided_from, series_key, time_period, vintage, rule"):
        rules = decided.setdefault(basis, {})
        if rule:
            rules[key[0], key[1], key[2]] = rule
    return decided


def _read_beside(con: Any, name: str, columns: str) -> Sequence[Sequence[Any]]:
    places = [path for _, _, path in con.execute("pragma database_list").fetchall() if path]
    for path in (Path(place).parent / name for place in places):
        if path.exists():
            rows: Sequence[Sequence[Any]] = con.execute(
                f"select {columns} from read_parquet({literal(path)}) order by all"
            ).fetchall()
            return rows
    return []
