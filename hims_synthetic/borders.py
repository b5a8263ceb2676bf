"""The border register of the synthetic country: trips of residents and visitors, each a passage out and a passage in.

Residents and citizens who live abroad are persons of the country, and travel with the passport that its other registers
know; visitors are nobody's. The two passages of a trip carry the same document, and may fall into different months.
From the day when the embarkation card ends, what only the card told is missing for many passages: a series break.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv
from hims_synthetic.totals import make_recipe_table

MONTHS = ("2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06")
TRIPS_A_DAY = 5_000  # at scale 1; fewer than in life, so that files stay small
FEWEST_A_DAY = 50  # at any scale, so that every day of a month has passages
CARD_ENDS = "2024-06-01"

# Trips begin a month early, so that the first month has returns too.
_TRIPS = """
create or replace table trips as
with days as (
    select unnest(generate_series(date '2023-12-01', date '2024-06-30', interval 1 day))::date as day
),
numbered as (
    select row_number() over (order by day, k) as t, day from days, range({trips_a_day}) as r(k)
),
bands as (
    select kind, is_resident = 'true' as is_resident, is_citizen = 'true' as is_citizen,
        cast(percent as double) as width, sum(cast(percent as double)) over (order by n) as upto
    from border_trips
)
select numbered.*, kind, is_resident, is_citizen, row_number() over (partition by kind order by t) as place,
    day + cast(1 + floor(u('length', t) * u('length', t) * 28) as int) as last_day
from numbered join bands on u('kind', t) * 100 >= upto - width and u('kind', t) * 100 < upto
"""

# Persons who live where their kind of traveller lives, all the time; each kind in random order.
_TRAVELLERS = f"""
create or replace table travellers as
with living as (
    select persons.*, stays.country = '{HOME}' as is_resident,
        citizenship = '{HOME}' or coalesce(second_citizenship, '') = '{HOME}' as is_citizen
    from stays join persons using (person_no)
    where from_date < date '2023-12-01' and coalesce(to_date, death_date, date '9999-12-31') > date '2024-07-31'
        and datesub('year', birth_date, date '2023-12-01') between 5 and 90
)
select kind, person_no, sex, birth_date, citizenship, passport_no, row_number() over (
    partition by kind order by u('traveller', person_no), person_no
) as place
from living join (select distinct kind, is_resident, is_citizen from trips where kind != 'NF') as kinds
    using (is_resident, is_citizen)
"""

_KNOWN = f"""
create or replace table known_trips as
with bands as (
    select country, cast(percent_passages as double) as width,
        sum(cast(percent_passages as double)) over (order by n) as upto
    from passage_countries
),
taken as (
    select trips.*, 1 + (place - 1) % many as traveller
    from trips join (select kind, count(*) as many from travellers group by kind) using (kind)
)
select t, day as first_day, last_day, is_resident, sex, datesub('year', birth_date, day) as age, passport_no,
    citizenship as nationality
from taken join travellers on taken.kind = travellers.kind and taken.traveller = travellers.place
union all
select t, day, last_day, false, if(u('sex', t) < 0.42, 'F', 'M'),
    cast(floor(80 * u('age', t) * sqrt(u('age', t))) + 2 as int),
    'V' || lpad(cast(t * 7368787 % 100000000 as varchar), 8, '0'), if(country = '{HOME}', null, country)
from trips join bands on u('visitor', t) * 100 >= upto - width and u('visitor', t) * 100 < upto
where kind = 'NF'
"""

_PASSAGES = f"""
create or replace table passages as
with posts as (
    select post, row_number() over (order by n) - 1 as k, count(*) over () as many
    from (select n, post, unnest(range(cast(weight as bigint))) from border_posts)
),
crossed as (
    select *, first_day as day, if(is_resident, 'S', 'E') as direction, t * 2 as i, u('post out', t) as drawn
    from known_trips
    union all
    select *, last_day, if(is_resident, 'E', 'S'), t * 2 + 1, u(if(u('same post', t) < 0.8, 'post out', 'post in'), t)
    from known_trips
)
select t, i, day, direction, post, passport_no, day >= date '{CARD_ENDS}' as without_card, age,
    if(u('nationality not stated', t) < 0.01, null, nationality) as nationality,
    if(u('status not stated', t) < 0.01, 'X', if(is_resident, 'R', 'N')) as residence_status,
    if(u('sex not stated', t) < 0.005, 'X', sex) as sex
from crossed join posts on k = cast(floor(drawn * many) as bigint)
"""

_MONTH = """
select row_number() over (order by day, t, direction) as passage_no, strftime(day, '%d/%m/%Y') as crossing_date,
    direction, post, nationality,
    if(without_card and u('status without card', i) < 0.6, 'X', residence_status) as residence_status,
    if(without_card and u('sex without card', i) < 0.1, 'X', sex) as sex,
    if(u('age not stated', t) < 0.01 or (without_card and u('age without card', i) < 0.4), null, age) as age,
    passport_no as document_no
from passages
where strftime(day, '%Y-%m') = '{month}'
order by passage_no
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write one file a month under `out/border_crossings/<month>/`."""
    con = country.con
    for name in ("border_posts", "border_trips"):
        make_recipe_table(country, name)
    make_recipe_table(country, "nationalities", "passage_countries")
    con.execute(_TRIPS.format(trips_a_day=max(FEWEST_A_DAY, country.count(TRIPS_A_DAY))))
    for query in (_TRAVELLERS, _KNOWN, _PASSAGES):
        con.execute(query)
    samples = []
    for month in MONTHS:
        path = out / "border_crossings" / month / f"border_crossings_{month}_{MARK}.csv"
        samples.append(Sample("border_crossings", month, [write_csv(con, _MONTH.format(month=month), path)]))
    return samples
