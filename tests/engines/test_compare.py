"""What is held up against two engines' tables: each kind of difference is told, and what is no difference is not."""

from pathlib import Path

import duckdb
import pytest

from tests.engines.compare import compare_tables

ROWS = "'A' || i as code, i as n, i::decimal(18, 2) as amount, i / 3 as share, md5(i::varchar)::uuid as person"


def make_pair(folder: Path, change: str) -> tuple[Path, Path]:
    """A DuckDB file with one table, and the table's rows after a change as Parquet, where Spark would leave them."""
    (folder / "tables/conformed.db/fct").mkdir(parents=True)
    with duckdb.connect(str(folder / "w.duckdb")) as con:
        con.execute(f"create schema conformed; create table conformed.fct as select {ROWS} from range(1, 50) as r (i)")
        con.execute("create view made as select * replace (person::varchar as person) from conformed.fct")
        con.execute(f"copy (select {change}) to '{folder}/tables/conformed.db/fct/part-0.parquet'")
        con.execute("drop view made")
    return folder / "w.duckdb", folder / "tables"


@pytest.mark.parametrize(
    "change",
    ["* from made", "* from made order by n desc", "* replace (share * (1 + 1e-12) as share) from made"],
)
def test_equal_tables_have_no_difference(tmp_path: Path, change: str) -> None:
    assert compare_tables(*make_pair(tmp_path, change)) == (["conformed.fct"], {})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("* from made where n > 1", "49 rows in DuckDB, 48 on Spark"),
        ("* from made union all select * from made where n = 1", "49 rows in DuckDB, 50 on Spark"),
        ("* replace (if(n = 7, 'B', code) as code) from made", '1 rows of DuckDB alone: "code"'),
        ("* replace (if(n = 7, null, code) as code) from made", '1 rows of DuckDB alone: "code"'),
        ("* replace ((amount + 0.01)::decimal(18, 2) as amount) from made", '49 rows of DuckDB alone: "amount"'),
        ("* replace (share * (1 + 1e-8) as share) from made", "share: 49 rows beyond 1e-09"),
        ("* replace (if(n = 7, null, share) as share) from made", "share: 1 rows beyond 1e-09"),
        ("* replace (n::integer as n) from made", "n: BIGINT in DuckDB, INTEGER on Spark"),
        ("* exclude (share) from made", "columns: ['share']"),
        ("code, amount, n, share, person from made", "columns: in another order"),
    ],
)
def test_a_difference_is_told(tmp_path: Path, change: str, told: str) -> None:
    _, different = compare_tables(*make_pair(tmp_path, change))
    assert told in different["conformed.fct"]
