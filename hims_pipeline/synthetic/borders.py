"""The border register of the synthetic sample: trips of residents and visitors, each a passage out and a passage in.

About 3,000 passages a month; the two passages of a trip carry the same travel document, and may fall into different
months. Nothing about these travellers means anything.
"""

from pathlib import Path

from hims_pipeline.synthetic.country import Country
from hims_pipeline.synthetic.sample import Sample
from hims_pipeline.synthetic.streams import HOME, MARK, write_csv

MONTHS = ("2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06")
TRIPS_A_DAY = 50
POSTS = (
    "['A01', 'A01', 'A01', 'A02', 'A03', 'A04', 'M01', 'M02', 'T01', 'T01', 'T02', 'T03', 'T03', 'T04', 'T05', 'T06']"
)

# Trips begin a month early, so that the first month has returns too.
_TRIPS = f"""
with days as (
    select unnest(generate_series(date '2023-12-01', date '2024-06-30', interval 1 day))::date as day
),
trips as (
    select row_number() over (order by day, k) as t, day from days, range({TRIPS_A_DAY}) as r(k)
),
bands as (
    select country, percent_passages as width, sum(percent_passages) over (order by n) as upto from nationalities
),
kinds as (
    select *,
        -- Resident citizens, foreign residents, citizens who live abroad, visitors.
        case when u('kind', t) < 0.30 then 'RC' when u('kind', t) < 0.33 then 'RF' when u('kind', t) < 0.48 then 'NC'
            else 'NF' end as kind
    from trips
)
select
    t,
    day as first_day,
    day + cast(1 + floor(u('length', t) * u('length', t) * 28) as int) as last_day,
    kind[1] = 'R' as is_resident,
    case when u('nationality not stated', t) < 0.01 then null when kind[2] = 'C' then '{HOME}' else country end
        as nationality,
    case when u('status not stated', t) < 0.01 then 'X' else kind[1] end as residence_status,
    case when u('sex not stated', t) < 0.005 then 'X' when u('sex', t) < 0.42 then 'F' else 'M' end as sex,
    if(u('age not stated', t) < 0.01, null, cast(floor(80 * u('age', t) * sqrt(u('age', t))) + 2 as int)) as age,
    'X' || lpad(cast(t * 7368787 % 10000000 as varchar), 7, '0') as document_no,
    {POSTS}[1 + cast(floor(u('post out', t) * 16) as int)] as first_post,
    if(u('same post', t) < 0.8, {POSTS}[1 + cast(floor(u('post out', t) * 16) as int)],
        {POSTS}[1 + cast(floor(u('post in', t) * 16) as int)]) as last_post
from kinds
join bands on u('country', t) * 100 >= upto - width and u('country', t) * 100 < upto
"""

_PASSAGES = """
select t, first_day as day, if(is_resident, 'S', 'E') as direction, first_post as post, nationality, residence_status,
    sex, age, document_no
from trips
union all
select t, last_day, if(is_resident, 'E', 'S'), last_post, nationality, residence_status, sex, age, document_no
from trips
"""

_MONTH = """
select row_number() over (order by day, t, direction) as passage_no, strftime(day, '%d/%m/%Y') as crossing_date,
    direction, post, nationality, residence_status, sex, age, document_no
from passages
where strftime(day, '%Y-%m') = '{month}'
order by passage_no
"""


def write(country: Country, out: Path) -> list[Sample]:
    """One file a month under `out/border_crossings/<month>/`."""
    con = country.con
    con.execute(f"create or replace table trips as {_TRIPS}")
    con.execute(f"create or replace table passages as {_PASSAGES}")
    folder, name = out / "border_crossings", f"border_crossings_{{month}}_{MARK}.csv"
    return [
        Sample(
            "border_crossings",
            month,
            [write_csv(con, _MONTH.format(month=month), folder / month / name.format(month=month))],
        )
        for month in MONTHS
    ]
