"""The one door to DuckDB; how names and values get into SQL (`quoting`) is at hand here too.

Each connection lives inside a `with` block: DuckDB has one writer, and an open reader blocks it too. It runs in the
observatory's time zone, whatever the machine's is: an instant has a day only in some zone.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

import duckdb

from hims_pipeline.contracts.observatory import load_observatory
from hims_pipeline.quoting import ParquetFiles, literal, literals, quote, read_parquet
from hims_pipeline.settings import Settings

__all__ = [
    "MISTAKEN", "ParquetFiles", "connection", "literal", "literals", "pattern_problems", "quote", "read_parquet",
    "time_zone",
]  # fmt: skip

# An optimiser of DuckDB 1.5.1 to 1.5.5: it can take two parts of a `union all` for the same when they are not, and give
# wrong rows (duckdb #25819). No connection of ours has it, nor dbt's (profiles.yml).
MISTAKEN = {"disabled_optimizers": "common_subplan"}


def time_zone(settings: Settings) -> str:
    """The observatory's time zone; UTC where there is no observatory, as in a reader tried alone."""
    return load_observatory(settings.data).time_zone if (settings.data / "observatory.yml").exists() else "UTC"


@contextmanager
def connection(
    settings: Settings, path: Path | None = None, *, read_only: bool = False, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection with the installation's limits, closed at the end.

    Args:
        path: database file; in memory without one.
        spill: folder for spill files, by default inside the identified zone. They are plain text (for encrypted ones
            DuckDB needs an extension that its package does not hold), so it is private and cleared at each start.
    """
    spill = spill or settings.scratch / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(
        str(path) if path else ":memory:",
        read_only=read_only,
        config={
            "threads": settings.threads,
            "memory_limit": settings.memory_limit,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            **MISTAKEN,
        },
    )
    try:
        con.execute(f"load icu; set global timezone = {literal(time_zone(settings))}")  # global: for its cursors too
        yield con
    finally:
        con.close()


@lru_cache(maxsize=8)
def pattern_problems(patterns: frozenset[str]) -> dict[str, str]:
    """Regular expression -> why DuckDB cannot evaluate it, of those that it cannot."""
    problems = {}
    with closing(duckdb.connect()) as con:  # neither data nor a time zone: nothing of an installation is needed
        for pattern in patterns:
            try:
                con.execute("select regexp_full_match('', $1)", [pattern]).fetchall()
            except duckdb.InvalidInputException as error:
                problems[pattern] = str(error).removeprefix("Invalid Input Error: ").splitlines()[0]
    return problems
