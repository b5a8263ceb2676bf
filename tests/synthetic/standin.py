"""A few thousand invented persons and their stays, in the tables of the synthetic country that survey writers read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import duckdb

from hims_pipeline.settings import Settings
from hims_pipeline.synthetic.streams import recipe_connection

# A third of one person in a hundred: one in ten emigrated, one in 25 came back, one in 150 is a foreigner.
PERSONS, SCALE = 40_000, 0.0033
_PERSONS = f"""
select i as person_no, if(u('sex', i) < 0.5, 'M', 'F') as sex,
    date '2020-12-31' - cast(365.25 * 82 * u('age', i) as int) as birth_date, null::date as death_date,
    if(i % 150 = 0, ['CIV', 'MLI', 'FRA', 'DZA', 'SYR'][1 + i // 150 % 5], 'TUN') as citizenship,
    citizenship as birth_country, cast(floor(6 * u('education', i)) as int)::varchar as education
from range(1, {PERSONS + 1}) as r(i)
"""
_STAYS = """
with moves as (
    select *, (select governorate from governorates as g where g.n = 1 + p.person_no * 31 % 24) as governorate,
        ['FRA', 'FRA', 'ITA', 'DEU', 'LBY', 'SAU'][1 + cast(floor(6 * u('destination', person_no)) as int)] as country,
        birth_date + cast((date '2024-12-31' - birth_date) * (0.3 + 0.6 * u('when', person_no)) as int) as moved,
        ['EMP', 'EMP', 'EDUC', 'FAM', 'OTH'][1 + cast(floor(5 * u('reason', person_no)) as int)] as reason,
        if(u('route', person_no) < 0.2, 'IRREGULAR', 'REGULAR') as route
    from persons as p
)
select person_no, birth_date as from_date, if(person_no % 10 = 1 or person_no % 25 = 2, moved,
    null) as to_date, 'TUN' as country,
    governorate, 'BIRTH' as reason, null as route
from moves where person_no % 150 != 0
union all
select person_no, moved, if(person_no % 10 = 1, null, moved + 700), country, null, reason, route
from moves where person_no % 150 != 0 and (person_no % 10 = 1 or person_no % 25 = 2)
union all
select person_no, moved + 700, null, 'TUN', governorate, 'RETURN', null
from moves where person_no % 150 != 0 and person_no % 10 != 1 and person_no % 25 = 2
union all
select person_no, birth_date, moved - 3000, citizenship, null, 'BIRTH', null from moves where person_no % 150 = 0
union all
select person_no, moved - 3000, null, 'TUN', governorate, reason, route from moves where person_no % 150 = 0
"""


class StandIn(NamedTuple):
    con: duckdb.DuckDBPyConnection
    scale: float
    seed: int


@contextmanager
def stand_in(settings: Settings) -> Iterator[StandIn]:
    with recipe_connection(settings, 42) as con:
        con.execute(f"create table persons as {_PERSONS}")
        con.execute(f"create table stays as {_STAYS}")
        yield StandIn(con, SCALE, 42)
