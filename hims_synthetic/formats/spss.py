"""SPSS files (.sav) with labels and user-missing codes, from an SQL query."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pandas as pd

Code = int | float | str
# The header of a .sav file: creation date and time, 9 and 8 characters.
_STAMP_AT = 92
_STAMP = b"01 Jan 24" + b"00:00:00"


def write_spss(
    con: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    value_labels: Mapping[str, Mapping[Code, str]] | None = None,
    labels: Mapping[str, str] | None = None,
    missing: Mapping[str, Sequence[Code]] | None = None,
) -> Path:
    """Write a query's rows, in its order, as one SPSS file; returns its path.

    Args:
        value_labels: column -> code -> label; codes are numbers for numeric columns, text for text.
        labels: column -> its label.
        missing: column -> codes declared user-missing, at most three a column.
    """
    import pyreadstat  # takes half a second, and few samples need it

    path.parent.mkdir(parents=True, exist_ok=True)
    pyreadstat.write_sav(
        _frame(con, query),
        str(path),
        column_labels=dict(labels or {}),
        variable_value_labels={name: dict(codes) for name, codes in (value_labels or {}).items()},  # type: ignore[arg-type]
        missing_ranges={name: list(codes) for name, codes in (missing or {}).items()},
    )
    with path.open("r+b") as file:
        file.seek(_STAMP_AT)
        file.write(_STAMP)
    return path


def _frame(con: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Days as Python's dates, which SPSS keeps as days; text without a value as blank text."""
    types = {name: kind for name, kind, *_ in con.execute(f"describe {query}").fetchall()}
    frame = con.execute(query).df()
    for name, kind in types.items():
        if kind == "DATE":
            frame[name] = pd.Series([None if pd.isna(day) else day.date() for day in frame[name]], dtype=object)
        elif kind == "VARCHAR":
            frame[name] = frame[name].fillna("")
        elif kind == "BOOLEAN":
            frame[name] = frame[name].astype("float64")
    return frame
