"""The tables that rules are evaluated on: each entity of a batch under its name, and the code lists. Not here: the
evidence of profiles (`comparisons`)."""

from collections.abc import Mapping
from typing import Any

from hims_pipeline.gates.inputs import load_lists
from hims_pipeline.settings import Settings
from hims_pipeline.sql import ParquetFiles, quote, read_parquet


def fill_tables(con: Any, settings: Settings, tables: Mapping[str, ParquetFiles]) -> None:
    """Put the files of a batch into a connection as views, and the lists that rules ask beside them."""
    for name, files in tables.items():
        con.execute(f"create view {quote(name)} as from {read_parquet(files)}")
    load_lists(con, settings.data)
