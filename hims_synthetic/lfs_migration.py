"""The labour-force survey's migration module over the synthetic country: households, and who left them for abroad.

Stata files, a year each. Departures are the country's moves abroad of the year by persons who lived at home before.
"""

import datetime as dt
from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.labelled import column_labels, contract, countries, value_labels
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK

SOURCE = "lfs_migration"
YEARS = ("2021", "2022", "2023")
HOUSEHOLDS, HOUSEHOLDS_AT_LEAST = 45_000, 12_000
DISTRICTS, DISTRICTS_AT_LEAST = 1_800, 200
HOUSEHOLD_SIZE, URBAN_SHARE = 3.7, 0.68
_STAMP = dt.datetime(2024, 1, 1)  # written into the file's header

# A household is found by one of its members; so many listed members as a household has, and it is drawn with a fixed
# share. Departures first, so that their households are among those drawn.
_HOUSEHOLDS = f"""
with gone as (
    select s.person_no, s.country, s.reason, arg_max(h.governorate, h.from_date) as governorate
    from stays as s
    join stays as h on s.person_no = h.person_no and h.country = '{HOME}' and h.from_date < s.from_date
    where s.country != '{HOME}' and year(s.from_date) = {{year}}
    group by s.person_no, s.country, s.reason
    having u('lfs drawn {{year}}', s.person_no) < {{share}}
),
stayed as (
    select person_no, governorate from stays
    where country = '{HOME}' and from_date < date '{{year}}-01-01'
        and (to_date is null or to_date > date '{{year}}-12-31')
        and person_no * 7919 % 1000003 < {{steps}}
),
members as (
    select person_no, governorate, country, reason from gone
    union all
    select person_no, governorate, null, null from stayed
),
placed as (
    select *, 1 + cast(u('lfs milieu', person_no) >= {URBAN_SHARE} as int) as milieu from members
),
counted as (
    select *, count(*) over (partition by governorate, milieu) as homes, count(*) over () as homes_in_all from placed
)
select person_no, country, reason, governorate, milieu,
    governorate || milieu || lpad(cast(1 + cast(floor(u('lfs district', person_no)
        * greatest(2, cast(round({{districts}} * homes / homes_in_all) as int))) as int) as varchar),
            3, '0') as district,
    lpad(cast(row_number() over (order by person_no) as varchar), 8, '0') as idmen,
    2 + cast(floor(5 * u('lfs size', person_no)) as int) as listes
from counted
"""
_PLACE = "cast(governorate as int) as gouv, milieu, district"
_FILES = {
    "households": f"""
        select idmen, {_PLACE}, listes, cast(country is not null as int) as sortis, {{weight}} as poids
        from lfs_homes order by idmen""",
    "departures": f"""
        select idmen, 2 as ordre, {_PLACE}, if(p.sex = 'M', 1, 2) as sexe, datediff('year', p.birth_date,
            date '{{year}}-12-31') as age,
            if(u('lfs education', person_no) < 0.01, 8, 1 + cast(p.education as int)) as niveau,
            if(u('lfs country', person_no) < 0.01, 998, cast(c.m49 as int)) as pays, {{year}} as annee,
            case when u('lfs refused', person_no) < 0.01 then 9 when reason = 'EMP' then 1 when reason = 'EDUC' then 2
                when reason = 'FAM' then 3 else 4 end as motif, {{weight}} as poids
        from lfs_homes join persons as p using (person_no) join lfs_countries as c on lfs_homes.country = c.country_code
        where lfs_homes.country is not null order by idmen""",
}
_NAMES = {"households": "menages", "departures": "sortants"}


def write(country: Country, out: Path) -> list[Sample]:
    """Write two Stata files a year under `out/<source>/<year>/`; the same country gives the same bytes."""
    return [_year(country, year, out / SOURCE / year) for year in YEARS]


def _year(country: Country, year: str, out: Path) -> Sample:
    con, scale = country.con, country.scale
    residents = con.execute(
        f"select count(*) from stays where country = '{HOME}' and from_date < date '{year}-01-01'"
        f" and (to_date is null or to_date > date '{year}-12-31')"
    ).fetchall()[0][0]
    homes = residents / HOUSEHOLD_SIZE
    share = min(1.0, max(HOUSEHOLDS * scale, HOUSEHOLDS_AT_LEAST) / homes)
    values = {
        "year": year,
        "share": share,
        "steps": round(1_000_003 * share / HOUSEHOLD_SIZE),
        "districts": max(round(DISTRICTS * scale), DISTRICTS_AT_LEAST),
        "weight": round(1 / share, 4),
    }
    con.execute(f"create or replace temp table lfs_homes as {_HOUSEHOLDS.format_map(values)}")
    codes = ", ".join(f"('{row['country_code']}', '{row['m49']}')" for row in countries())
    con.execute(f"create or replace temp table lfs_countries as from (values {codes}) as t(country_code, m49)")
    files = [_stata(country, entity, _FILES[entity].format_map(values), out, year) for entity in _NAMES]
    return Sample(SOURCE, year, files)


def _stata(country: Country, entity: str, query: str, out: Path, year: str) -> Path:
    columns = contract(SOURCE).entities[entity].columns
    path = out / f"enpe_migration_{_NAMES[entity]}_{year}_{MARK}.dta"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = country.con.execute(query).df()
    frame["poids"] = frame["poids"].astype(float)
    frame.to_stata(
        path, write_index=False, version=118, time_stamp=_STAMP,
        variable_labels={name: label[:80] for name, label in column_labels(columns).items()},
        value_labels=value_labels(columns),
    )  # fmt: skip
    return path
