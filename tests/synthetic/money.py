"""What the stand-in lacks for civil registration, social security and placements: births and deaths of each year, people
in every governorate, and enough who left for work."""

from collections.abc import Iterator
from contextlib import contextmanager

from hims_pipeline.settings import Settings
from tests.synthetic.stand_in import StandIn, stand_in

BIRTHS, DEATHS, LEAVERS = 22_000, 8_000, 3_000
_SPREAD = """
update persons set death_date = null;
create or replace table places_in_order as select governorate, n - 1 as k from governorates;
update stays set governorate = places_in_order.governorate, delegation = places_in_order.governorate || '51'
from places_in_order where country = 'TUN' and k = person_no % 24;
"""
_VITAL = """
insert into persons by name
select {first} + i as person_no, 'vital' as kind, if(u('vital sex', i) < {men}, 'M', 'F') as sex,
    date '{born_from}' + cast(floor({born_days} * u('vital birth', i)) as int) as birth_date,
    if({dies}, date '2014-01-01' + cast(floor(4018 * u('vital death', i)) as int), null) as death_date,
    'TUN' as birth_country, if(u('vital citizen', i) < 0.01, 'FRA', 'TUN') as citizenship,
    if({dies}, '9' || lpad(cast({first} + i as varchar), 7, '0'), null) as national_id
from range({many}) as r(i);
insert into stays by name
select person_no, 1 as stay_no, birth_date as from_date, death_date as to_date, 'TUN' as country, 'BIRTH' as reason,
    (select list(governorate order by n) from governorates)[1 + person_no % 24] as governorate
from persons where kind = 'vital' and person_no >= {first} and person_no < {first} + {many};
"""
# Leavers of each year, a fifth of whom come back after two years.
_LEAVERS = """
insert into persons by name
select 3000000 + i as person_no, 'leaver' as kind, if(u('leaver sex', i) < 0.7, 'M', 'F') as sex,
    date '1985-01-01' + cast(i % 4000 as int) as birth_date, 'TUN' as birth_country, 'TUN' as citizenship,
    '9' || lpad(cast(3000000 + i as varchar), 7, '0') as national_id, cast(i % 12 as int) as given_no,
    cast(i % 16 as int) as family_no, if(i % 3 = 0, '22', '71') as occupation
from range({leavers}) as r(i);
insert into stays by name
select person_no, 2 as stay_no, date '2017-01-01' + cast(person_no % 3280 as int) as from_date,
    if(person_no % 5 = 0, date '2019-01-01' + cast(person_no % 3280 as int), null) as to_date,
    ['SAU', 'QAT', 'FRA', 'DEU', 'ITA', 'CAN', 'ARE'][1 + person_no % 7] as country, 'EMP' as reason, 'REGULAR' as route
from persons where kind = 'leaver';
"""


@contextmanager
def busy_country(settings: Settings, scale: float = 0.01) -> Iterator[StandIn]:
    with stand_in(settings, scale) as country:
        con = country.con
        con.execute(_SPREAD)
        con.execute(
            _VITAL.format(first=1000000, many=BIRTHS, men=0.51, born_from="2014-01-01", born_days=4018, dies="false")
        )
        con.execute(
            _VITAL.format(first=2000000, many=DEATHS, men=0.55, born_from="1940-01-01", born_days=9000, dies="true")
        )
        con.execute(_LEAVERS.format(leavers=LEAVERS))
        yield country
