"""Foreign students of the synthetic country: those who came to study, as many as published by sector and region.

Some are enrolled in two institutions, and stand there twice; before 2013-14 the private sector was not counted.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.foreigners import find_foreigners
from hims_synthetic.formats import write_workbook
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK
from hims_synthetic.totals import make_recipe_table, make_scaled, titles

HEADER = ("NUM_ETUDIANT", "NATIONALITE", "SEXE", "DATE_NAISSANCE", "SECTEUR", "NIVEAU", "DOMAINE", "ETABLISSEMENT")
PERCENT_TWICE = 1.2

# Foreigners who live in the country in the academic year; who came to study come first, then those of student's age.
_CANDIDATES = f"""
create or replace table student_candidates as
with regions as (select distinct region from foreign_students where region != '_O'),
residents as (
    select person_no, min(reason != 'EDUC') as came_otherwise
    from foreign_stays
    where country = '{HOME}' and from_date <= date '{{first_day}}' + 90
        and coalesce(to_date, date '9999-12-31') > date '{{first_day}}' + 30
    group by person_no
),
ranked as (
    select foreign_persons.*, name_fr, coalesce(region, '_O') as quota,
        2 * cast(came_otherwise as int) + cast(datesub('year', birth_date, date '{{first_day}}') > 30 as int) as tier
    from residents join foreign_persons using (person_no)
    join places on places.country = citizenship
    left join regions on regions.region = subregion_m49
    where coalesce(death_date, date '9999-12-31') > date '{{first_day}}'
        and datesub('year', birth_date, date '{{first_day}}') between 17 and 45
)
select *, row_number() over (partition by quota order by tier, u('student', person_no), person_no) as place from ranked
"""

_ENROLLED = """
with quotas as (
    select sector, region as quota, wanted,
        sum(wanted) over (partition by region order by sector desc) - wanted as before -- public first
    from foreign_students_scaled where period = '{period}'
),
students as (
    select student_candidates.*, sector, person_no * 2 as i
    from student_candidates join quotas using (quota)
    where place > before and place <= before + wanted
),
enrolments as (
    select *, 0 as again from students
    union all
    select * replace (i + 1 as i), 1 from students where u('enrolled twice', person_no) * 100 < {percent_twice}
)
select
    'E' || lpad(cast(person_no * 7368787 % 100000000 as varchar), 8, '0'),
    name_fr,
    sex,
    birth_date,
    sector,
    case
        when u('level', person_no) < 0.06 then 'BTS' when u('level', person_no) < 0.50 then 'LIC'
        when u('level', person_no) < 0.66 then 'ING' when u('level', person_no) < 0.86 then 'MAS'
        when u('level', person_no) < 0.94 then 'MED' else 'DOC'
    end,
    if(u('field not stated', i) < 0.02, null, lpad(cast(1 + floor(10 * u('field', i) ** 0.7) as int)::varchar, 2, '0')),
    if(sector = 'PUB', 'Établissement public ', 'Établissement privé ')
        || lpad(cast(1 + (cast(floor(20 * u('institution', person_no)) as int) + again) % 20 as varchar), 2, '0')
from enrolments
order by 1, 8
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write one workbook an academic year of the recipe under `out/foreign_students/<period>/`."""
    con = country.con
    find_foreigners(country)
    make_scaled(country, "foreign_students", "persons", within="period, part_of")
    make_recipe_table(country, "places")
    samples = []
    for (period,) in con.execute("select distinct period from foreign_students order by period").fetchall():
        con.execute(_CANDIDATES.format(first_day=f"{period[:4]}-10-01"))
        rows = con.execute(_ENROLLED.format(period=period, percent_twice=PERCENT_TWICE)).fetchall()
        path = out / "foreign_students" / period / f"etudiants_etrangers_{period}_{MARK}.xlsx"
        write_workbook(path, "Etudiants", [*titles(country, "foreign_students"), HEADER, *rows])
        samples.append(Sample("foreign_students", period, [path]))
    return samples
