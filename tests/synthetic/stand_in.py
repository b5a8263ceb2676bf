"""A stand-in for the synthetic country: its two tables, small and plain, for writers of sources to be tried on.

Residents, emigrants (some back, some dead), citizens born abroad, and foreigners; at scale 0.01 about 150,000 persons.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import duckdb

from hims_pipeline.settings import Settings
from hims_pipeline.sql import connection
from hims_pipeline.synthetic.totals import recipe_table

GROUPS = {"resident": 12_000_000, "emigrant": 2_000_000, "born abroad": 350_000, "foreigner": 110_000}
_PERSONS = """
create table persons as
with counted as (
    select kind, unnest(range(cast(round(many * {scale}) as bigint))) as k from (values {groups}) as t (kind, many)
),
numbered as (select kind, row_number() over (order by kind, k) as person_no from counted),
drawn as (
    select *,
        case when kind = 'born abroad' then date '1990-01-01' + cast(floor(12000 * u('birth', person_no)) as int)
            else date '1940-01-01' + cast(floor(if(kind = 'resident', 30000, 23500) * u('birth', person_no)) as int)
        end as birth_date,
        case when u('country', person_no) < 0.60 then 'FRA' when u('country', person_no) < 0.75 then 'ITA'
            when u('country', person_no) < 0.87 then 'DEU' when u('country', person_no) < 0.93 then 'LBY'
            when u('country', person_no) < 0.94 then 'YEM' else 'CAN' end as abroad,
        case when u('citizen', person_no) < 0.15 then 'FRA' when u('citizen', person_no) < 0.25 then 'ITA'
            when u('citizen', person_no) < 0.35 then 'MAR' when u('citizen', person_no) < 0.37 then 'USA'
            when u('citizen', person_no) < 0.65 then 'CIV' when u('citizen', person_no) < 0.85 then 'MLI'
            else 'DZA' end as foreign_citizenship,
        if(u('sex', person_no) < if(kind = 'emigrant', 0.6, 0.5), 'M', 'F') as sex
    from numbered
)
select person_no, kind, sex, birth_date, abroad,
    if(kind in ('resident', 'emigrant') and u('dead', person_no) < 0.03, date '2015-06-01', null) as death_date,
    case kind when 'foreigner' then foreign_citizenship when 'born abroad' then abroad else 'TUN' end as birth_country,
    if(kind = 'foreigner', foreign_citizenship, 'TUN') as citizenship,
    if(kind = 'born abroad' or (kind = 'emigrant' and u('dual', person_no) < 0.2), abroad, null) as second_citizenship,
    if(kind != 'foreigner' and birth_date < date '2004-01-01', '9' || lpad(cast(person_no as varchar), 7, '0'), null)
        as national_id,
    'P' || lpad(cast(person_no as varchar), 8, '0') as passport_no,
    cast(person_no % 12 as int) as given_no, cast(person_no % 16 as int) as family_no,
    cast(cast(floor(6 * u('education', person_no)) as int) as varchar) as education,
    if(birth_date < date '2000-01-01' and u('works', person_no) < 0.6,
        cast(11 + cast(floor(80 * u('job', person_no)) as int) as varchar), null) as occupation,
    if(birth_date < date '2000-01-01' and u('works', person_no) < 0.6,
        chr(65 + cast(floor(20 * u('branch', person_no)) as int)), null) as branch
from drawn
"""
_STAYS = """
create table stays as
with moves as (
    select *, greatest(birth_date + 365 * 17, date '1985-01-01')
            + cast(floor(u('moved', person_no) * if(kind = 'foreigner', 9000, 10000)) as int) as moved_on,
        lpad(cast(11 + person_no % 4 as varchar), 2, '0') as governorate,
        case when u('reason', person_no) < 0.35 then 'EDUC' when u('reason', person_no) < 0.65 then 'EMP'
            when u('reason', person_no) < 0.9 then 'FAM' else 'OTH' end as reason
    from persons
),
told as (
    select *, case when moved_on > date '2025-06-30' then null else moved_on end as first_move,
        if(kind = 'emigrant' and u('returned', person_no) < 0.2, moved_on + 1500, null) as back_on
    from moves
),
pieces as (
    select person_no, 1 as stay_no, birth_date as from_date,
        if(kind in ('emigrant', 'foreigner'), first_move, null) as to_date,
        if(kind = 'foreigner' or kind = 'born abroad', birth_country, 'TUN') as country, 'BIRTH' as reason, governorate
    from told
    union all
    select person_no, 2, first_move, if(back_on is not null, back_on, null),
        if(kind = 'emigrant', abroad, 'TUN'), reason, governorate
    from told where kind in ('emigrant', 'foreigner') and first_move is not null
    union all
    select person_no, 3, back_on, null, 'TUN', 'RETURN', governorate
    from told where back_on is not null and first_move is not null
)
select person_no, stay_no, from_date, to_date, country, if(country = 'TUN', governorate, null) as governorate,
    if(country = 'TUN', governorate || '51', null) as delegation, reason,
    if(country = 'TUN', null, 'REGULAR') as route
from pieces
"""


@dataclass(frozen=True)
class StandIn:
    """What writers ask of a country."""

    con: duckdb.DuckDBPyConnection
    scale: float
    seed: int
    recipe: SimpleNamespace


@contextmanager
def stand_in(settings: Settings, scale: float = 0.01, seed: int = 42) -> Iterator[StandIn]:
    tables = {}
    for path in (settings.data / "samples/recipe").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    with connection(settings) as con:
        con.execute(
            "create macro u(stream, i) as"
            f" (hash(xor(cast(i as ubigint), hash(stream || ':{seed}'))) >> 11) / 9007199254740992.0"
        )
        country = StandIn(con, scale, seed, SimpleNamespace(tables=tables))
        recipe_table(country, "names")  # type: ignore[arg-type]
        con.execute(
            "create or replace table names as"
            " select part, row_number() over (partition by part order by n) - 1 as no, latin, arabic from names"
        )
        groups = ", ".join(f"('{kind}', {many})" for kind, many in GROUPS.items())
        con.execute(_PERSONS.format(scale=scale, groups=groups))
        con.execute(_STAYS)
        yield country
