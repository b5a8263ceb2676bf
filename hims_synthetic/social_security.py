"""Social security of the synthetic country: the jobs that were declared for a quarter.

Who works at home and is declared has an account; some have a second one, for another job or an old employer, under
another number. Foreigners are known by their passport, and a few accounts by nothing. The number of some accounts was
typed wrongly, and stays so: by it a person is not found, or somebody else is.
"""

import calendar
from datetime import date
from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv

CURRENCY = "TND"
PERCENT_SECOND_ACCOUNT = 6
PERCENT_STOPPED = 4  # of accounts that end within the quarter
PERCENT_MISTYPED = 0.6  # of citizens' accounts: the last two digits of the national number exchanged
_MATRICULE = 7_368_787  # without a factor in common with powers of ten: the numbers stay different
_NUMBER = f"lpad(cast(account_no * {_MATRICULE} % 10000000000 as varchar), 10, '0')"

# Who works and is declared at any time, once for all quarters: the draw is the same in each of them.
_DECLARED = f"""
create or replace table declared_workers as
with drawn as (
    select persons.*, stays.governorate, stays.from_date, coalesce(stays.to_date, date '9999-12-31') as to_date,
        u('declared', person_no) * 100 as place
    from persons join stays using (person_no)
    where stays.country = '{HOME}' and persons.branch is not null
        and stays.from_date <= date '{{last}}' and coalesce(stays.to_date, date '9999-12-31') > date '{{first}}'
)
select * from drawn where place < if(citizenship = '{HOME}', {{percent_citizens}}, {{percent_foreigners}})
"""

# Whose account it is, which the office does not know for sure.
_OWNERS = f"""
insert into true_keys
select 'social_security', 'MATRICULE', {_NUMBER}, person_no
from (select person_no, person_no * 2 + k as account_no from declared_workers, range(2) as r(k))
"""

# Workers who live at home on the last day of the quarter, each with one or two accounts.
_ACCOUNTS = f"""
create or replace table insured_accounts as
with declared as (
    select * from declared_workers
    where from_date <= date '{{last}}' and to_date > date '{{last}}'
        and date_sub('year', birth_date, date '{{last}}') between 18 and 64
        and place < if(citizenship = '{HOME}', {{percent_citizens}}, {{percent_foreigners}})
),
numbered as (
    select declared.*, k, person_no * 2 + k as account_no
    from declared, range(2) as r(k)
    where k = 0 or u('second account', person_no) * 100 < {PERCENT_SECOND_ACCOUNT}
),
dated as (
    select *,
        greatest(
            birth_date + interval 18 year, from_date,
            date '{{last}}' - interval 1 day * cast(floor(5000 * u('tenure', account_no)) as int)
        )::date as start_date
    from numbered
)
select *, if(k = 1 and u('stopped', account_no) * 100 < 50 or u('stopped', account_no) * 100 < {PERCENT_STOPPED},
        greatest(start_date, date '{{first}}' + cast(floor(89 * u('stopped on', account_no)) as int)), null
    ) as stop_date
from dated
"""

_WRITTEN = f"""
with given as (
    select part, arabic, row_number() over (partition by part order by n) - 1 as k,
        count(*) over (partition by part) as many
    from names
)
select
    {_NUMBER} as MATRICULE,
    case
        when u('no document', account_no) < 0.01 then null
        when u('mistyped', account_no) * 100 < {PERCENT_MISTYPED}
            then national_id[:-3] || national_id[-1] || national_id[-2]
        else national_id
    end as CIN,
    if(citizenship = '{HOME}' or u('no document', account_no) < 0.03, null, passport_no) as PASSEPORT,
    given.arabic || ' ' || family.arabic as NOM,
    if(sex = 'M', '1', '2') as SEXE,
    year(birth_date) as ANNEE_NAISSANCE,
    if(u('citizen not stated', account_no) < 0.002, 'XXX', citizenship) as NATIONALITE,
    lpad(cast(
        cast(floor(60000 * u('employer', account_no) ** 2) as bigint) * {_MATRICULE} % 100000000 as varchar
    ), 8, '0') as EMPLOYEUR,
    if(u('branch not stated', account_no) < 0.02, null, branch) as BRANCHE,
    governorate as GOUVERNORAT,
    strftime(start_date, '%d/%m/%Y') as DATE_DEBUT,
    strftime(stop_date, '%d/%m/%Y') as DATE_FIN,
    replace(cast(cast(1350 + 6000 * u('wage', account_no) ** 3 as decimal(18, 3)) as varchar), '.', ',') as SALAIRE,
    '{CURRENCY}' as DEVISE
from insured_accounts
join given on given.part = sex and given.k = given_no % given.many
join given as family on family.part = 'family' and family.k = family_no % family.many
order by account_no
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write one file a quarter of the recipe under `out/social_security/<quarter>/`."""
    con = country.con
    rows = country.recipe.tables["social_security"]
    days = [covers_quarter(row["period"]) for row in rows]
    con.execute(
        _DECLARED.format(
            first=days[0][0],
            last=days[-1][1],
            percent_citizens=max(float(row["percent_citizens"]) for row in rows),
            percent_foreigners=max(float(row["percent_foreigners"]) for row in rows),
        )
    )
    con.execute(_OWNERS)
    samples = []
    for row, (first, last) in zip(rows, days, strict=True):
        con.execute(_ACCOUNTS.format(first=first, last=last, **row))
        path = out / "social_security" / row["period"] / f"cnss_{row['period']}_{MARK}.csv"
        write_csv(con, _WRITTEN, path, delimiter=";", encoding="windows-1256")
        samples.append(Sample("social_security", row["period"], [path]))
    return samples


def covers_quarter(period: str) -> tuple[date, date]:
    """First and last day of a quarter that is spelt 2024Q1."""
    year, month = int(period[:4]), 3 * int(period[-1])
    return date(year, month - 2, 1), date(year, month, calendar.monthrange(year, month)[1])
