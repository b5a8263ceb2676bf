"""The tables that rules are evaluated on: each entity of a batch under its name, and the code lists. Not here: the
evidence of profiles (`comparisons`)."""

from pathlib import Path
from typing import Any

from hims_pipeline.contracts.crosswalks import load_schemes
from hims_pipeline.settings import Settings
from hims_pipeline.sql import literal, quote


def fill_tables(con: Any, settings: Settings, tables: dict[str, Path]) -> None:
    """Put the files of a batch into a connection as views, and `_crosswalks` (scheme, code) beside them."""
    for name, path in tables.items():
        con.execute(f"create view {quote(name)} as from read_parquet({literal(path)})")
    pairs = [(scheme, code) for scheme, codes in load_schemes(settings.data).codes.items() for code in sorted(codes)]
    con.execute("create table _crosswalks (scheme varchar, code varchar)")
    lists = [[one[place] for one in pairs] for place in (0, 1)]
    con.execute("insert into _crosswalks select unnest($1::varchar[]), unnest($2::varchar[])", lists)
