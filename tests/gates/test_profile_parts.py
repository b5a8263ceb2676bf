"""Of a large table the profile looks at a part, which says what the whole says, whatever the order of its rows."""

from typing import Any

import duckdb
import pytest

from hims_pipeline.gates import canary_profiles, profile
from hims_pipeline.gates.profile import Profile, take_profile
from hims_pipeline.gates.roles import roles_of
from tests.gates.test_profiles import CELLS, CONTRACT

COUPLES = canary_profiles._DRAWN.format(month=6, seed=0, rows=40_000).replace(
    "case when (h // 500) % 100 < 40 then 'F' else 'M' end", "case when i % 2 = 0 then 'F' else 'M' end"
)
SERIES = """
    select chr(cast(65 + c // 26 as integer)) || chr(cast(65 + c % 26 as integer)) || 'A' as geo, 2001 + y as year,
        cast(50000 + 100 * c + 10 * y as bigint) as n, 40 * c + y + 1 as _line
    from range(600) as countries (c), range(20) as years (y)"""


@pytest.fixture(autouse=True)
def looks_at_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "SAMPLE", 4_000)


def profile_of(query: str, contract: Any) -> Profile:
    con = duckdb.connect()
    con.execute(f"create table rows as {query}")
    return Profile(take_profile(con, contract, "rows", "2024-06", roles_of(contract, "rows", "2024-06")))


def test_wives_on_even_lines_are_half_of_all() -> None:
    counted = profile_of(COUPLES, CONTRACT).counts("values", "sex")
    assert counted["F"] + counted["M"] == pytest.approx(4_000, rel=0.1)
    assert counted["F"] / (counted["F"] + counted["M"]) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("order", ["geo, year", "hash(geo, year)"])
def test_series_are_looked_at_whole_in_any_order(order: str) -> None:
    lined = f"select * replace (row_number() over (order by {order}) as _line) from ({SERIES})"
    seen = profile_of(lined, CELLS)
    assert 0 < sum(seen.counts("values", "year").values()) < 6_000
    assert set(seen.counts("values", "year").values()) == {sum(seen.counts("values", "year").values()) / 20}
    assert seen.number("holes", "year") == 0
    assert seen.counts("values", "geo") == profile_of(SERIES, CELLS).counts("values", "geo")
