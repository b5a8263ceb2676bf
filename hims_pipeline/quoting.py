"""How names, values and files get into SQL: as text, without a connection. Not here: running it (`sql`)."""

from collections.abc import Sequence
from pathlib import Path

ParquetFiles = Path | Sequence[Path]
"""A table's Parquet file, or its parts in the order of their rows."""


def quote(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | float | Path | None) -> str:
    """An SQL literal; text keeps its quotes, backslashes and Arabic as they are."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def literals(values: Sequence[str | int | float | Path]) -> str:
    """SQL literals of several values, with commas between."""
    return ", ".join(literal(value) for value in values)


def read_parquet(files: ParquetFiles) -> str:
    """SQL: the rows of Parquet files of one table, in the order of the files."""
    return f"read_parquet([{literals([files] if isinstance(files, Path) else files)}])"
