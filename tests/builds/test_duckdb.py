"""What DuckDB may not do, wherever a connection of ours is opened."""

import duckdb
import yaml

from hims_pipeline.gates.engine import evaluate
from hims_pipeline.gates.rules import Rule
from hims_pipeline.settings import REPOSITORY, Settings
from hims_pipeline.sql import MISTAKEN, connection

# duckdb #24624: each half gives one row and none, and together they are one row.
TABLES = """
    create table flags as select false as flag;
    create table words as select 'a' as word;
"""
NEVER = "((not flag) and (substring(word from -4294967296) <> word))"
TOGETHER = f"""
    select * from flags left join words on true where not {NEVER}
    union all
    select * from flags left join words on true where {NEVER} is null
"""


def test_the_mistake_is_still_made_where_nothing_is_set() -> None:
    """When this fails, DuckDB has mended it: take `MISTAKEN` out, and the line in profiles.yml."""
    with duckdb.connect() as con:
        con.execute(TABLES)
        assert con.execute(f"select count(*) from ({TOGETHER})").fetchall() == [(0,)]


def test_our_connections_do_not_make_it(tmp_path) -> None:
    settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path, env="test")
    with connection(settings) as con:
        con.execute(TABLES)
        assert con.execute(f"select count(*) from ({TOGETHER})").fetchall() == [(1,)]


def test_nor_does_the_gate(tmp_path) -> None:
    settings = Settings(REPOSITORY, REPOSITORY / "data", REPOSITORY / "expectations", tmp_path, env="test")
    query = f"select 1 from ({TOGETHER.replace('flags', '{batch}', 2)})"
    rule = Rule("A-B", "flags", "unexpected_rows_expectation", {"unexpected_rows_query": query}, "blocking", "")
    (outcome,) = evaluate(settings, lambda con: con.execute(TABLES), [rule])
    assert (outcome.unexpected, outcome.success) == (1, False)


def test_nor_does_dbt() -> None:
    profile = yaml.safe_load((REPOSITORY / "dbt_project/profiles.yml").read_text(encoding="utf-8"))
    options = profile["hims"]["outputs"]["duckdb"]["config_options"]
    assert {name: options.get(name) for name in MISTAKEN} == MISTAKEN
