"""Civil registration of the synthetic country: births and deaths of residents, year by year.

Each birth is registered, deaths only in part, and the same deaths in every run. Whoever is born or dies abroad is not
here. The number of a commune is invented beyond its governorate.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv

YEARS = range(2014, 2025)
PERCENT_DEATHS_REGISTERED = 95
COMMUNES = 9  # numbered from 11 within the governorate

_BORN = f"""
create or replace table registered_births as
select person_no, birth_date, sex, citizenship, governorate
from persons join stays using (person_no)
where stay_no = 1 and country = '{HOME}' and year(birth_date) between {YEARS[0]} and {YEARS[-1]}
"""
# The last stay of a person says where the death was registered.
_DIED = f"""
create or replace table registered_deaths as
select person_no, birth_date, death_date, sex, citizenship, national_id,
    arg_max(governorate, stay_no) as governorate
from persons join stays using (person_no)
where year(death_date) between {YEARS[0]} and {YEARS[-1]} and from_date <= death_date
    and u('death registered', person_no) * 100 < {PERCENT_DEATHS_REGISTERED}
group by all
having arg_max(country, stay_no) = '{HOME}'
"""

_COMMUNE = f"governorate || cast(11 + cast(floor({COMMUNES} * u('commune', person_no)) as int) as varchar)"

_BIRTHS = f"""
select
    row_number() over (order by birth_date, person_no) as NUM_ACTE,
    strftime(birth_date, '%d/%m/%Y') as DATE_NAISSANCE,
    governorate as GOUVERNORAT,
    {_COMMUNE} as COMMUNE,
    if(u('sex not stated', person_no) < 0.001, '9', if(sex = 'M', '1', '2')) as SEXE,
    citizenship as NATIONALITE
from registered_births
where year(birth_date) = {{year}}
order by NUM_ACTE
"""

_DEATHS = f"""
select
    row_number() over (order by death_date, person_no) as NUM_ACTE,
    strftime(death_date, '%d/%m/%Y') as DATE_DECES,
    governorate as GOUVERNORAT,
    {_COMMUNE} as COMMUNE,
    if(sex = 'M', '1', '2') as SEXE,
    if(u('age not stated', person_no) < 0.003, 999, date_sub('year', birth_date, death_date)) as AGE,
    citizenship as NATIONALITE,
    if(u('number not stated', person_no) < 0.05, null, national_id) as CIN
from registered_deaths
where year(death_date) = {{year}}
order by NUM_ACTE
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write births and deaths, two files a year under `out/civil_registration/<year>/`."""
    con = country.con
    con.execute(_BORN)
    con.execute(_DIED)
    samples = []
    for year in YEARS:
        folder = out / "civil_registration" / str(year)
        births = write_csv(con, _BIRTHS.format(year=year), folder / f"naissances_{year}_{MARK}.csv")
        deaths = write_csv(con, _DEATHS.format(year=year), folder / f"deces_{year}_{MARK}.csv")
        samples.append(Sample("civil_registration", str(year), [births, deaths]))
    return samples
