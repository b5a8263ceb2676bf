"""Work authorisations of the synthetic country: contracts of foreigners that were decided on in a year.

As many are approved as were published, by citizenship; some more were refused or are pending. Where fewer foreigners of
a citizenship live in the country than were authorised, some have several contracts, as some do in life; where nobody
does, as in a small sample, others have theirs.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.foreigners import find_foreigners
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv
from hims_synthetic.totals import make_recipe_table, make_scaled

PERCENT_REFUSED = 6
PERCENT_PENDING = 2

# Foreigners of working age who live in the country in the year; those who work come first.
_WORKERS = f"""
create or replace table authorised_workers as
with groups as (select distinct country from work_authorisations where country != '_O'),
residents as (
    select distinct foreign_persons.*, coalesce(groups.country, '_O') as quota
    from foreign_stays as stays join foreign_persons using (person_no)
    left join groups on groups.country = citizenship
    where stays.country = '{HOME}'
        and from_date <= date '{{year}}-06-30'
        and coalesce(to_date, death_date, date '9999-12-31') > date '{{year}}-06-30'
        and datesub('year', birth_date, date '{{year}}-06-30') between 18 and 64
)
select *, count(*) over (partition by quota) as many,
    row_number() over (partition by quota order by occupation is null, u('authorised', person_no), person_no) as place
from residents
"""

_CONTRACTS = """
with listed as (
    select if(country in (select quota from authorised_workers), country, '_O') as quota, unnest(range(wanted)) as k
    from work_authorisations_scaled where period = '{year}'
),
wanted as (select quota, row_number() over (partition by quota order by k) - 1 as k from listed),
approved as (
    select authorised_workers.*, k, 'A' as decision
    from wanted join authorised_workers using (quota)
    where place = 1 + k % many
),
others as (
    select authorised_workers.*, 0 as k, if(u('decision', person_no) * 100 < {pending}, 'C', 'R') as decision
    from authorised_workers
    where place <= (select count(*) from approved) and u('decision', person_no) * 100 < {pending} + {refused}
        and occupation is not null
),
firms as (select employer, n - 1 as k, count(*) over () as many from employers),
decided as (
    select *, row_number() over (order by person_no, k, decision) as number,
        date '{year}-01-01' + cast(floor(u('decided on', person_no * 1000 + k % 1000) * 365) as int) as decided_on,
        cast(floor(100000 * u('employer', person_no * 1000 + k % 1000)) as bigint) as firm
    from (select * from approved union all select * from others)
)
select
    number as NUM_CONTRAT,
    lpad(cast(firm * 7368787 % 10000000 as varchar), 7, '0') || chr(65 + cast(firm % 23 as int)) as MATRICULE_EMPLOYEUR,
    employer as EMPLOYEUR,
    if(firm % 10 = 0, '1', '2') as SECTEUR,
    if(u('branch not stated', number) < 0.02, null, coalesce(branch, 'N')) as BRANCHE,
    if(u('occupation not stated', number) < 0.02, null, coalesce(occupation, '96')) as PROFESSION,
    passport_no as PASSEPORT,
    name_fr as NATIONALITE,
    if(sex = 'M', 'H', 'F') as SEXE,
    strftime(birth_date, '%d/%m/%Y') as DATE_NAISSANCE,
    if(u('renewed contract', number) < 0.45, 'R', 'N') as NATURE,
    strftime(decided_on + 15, '%d/%m/%Y') as DEBUT,
    strftime(decided_on + 15 + interval 1 year - interval 1 day, '%d/%m/%Y') as FIN,
    decision as DECISION,
    strftime(decided_on, '%d/%m/%Y') as DATE_DECISION
from decided
join places on places.country = citizenship
join firms on firms.k = firm % firms.many
order by number
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write one file a year of the recipe under `out/work_authorisations/<year>/`."""
    con = country.con
    find_foreigners(country)
    make_scaled(country, "work_authorisations", "permits")
    for name in ("places", "employers"):
        make_recipe_table(country, name)
    samples = []
    for (year,) in con.execute("select distinct period from work_authorisations order by period").fetchall():
        con.execute(_WORKERS.format(year=year))
        path = out / "work_authorisations" / year / f"autorisations_travail_{year}_{MARK}.csv"
        query = _CONTRACTS.format(year=year, refused=PERCENT_REFUSED, pending=PERCENT_PENDING)
        write_csv(con, query, path, delimiter=";", encoding="windows-1256")
        samples.append(Sample("work_authorisations", year, [path]))
    return samples
