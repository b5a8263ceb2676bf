"""Students abroad, counted twice: files of those who are there at the end of a year, and a year's departures.

Both are about the same persons and are not the same count: a stock and a flow, of two institutions.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.formats import write_workbook
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv
from hims_synthetic.totals import make_recipe_table, make_scaled, titles

# Citizens who live abroad on the last day of the year; who went to study come first, then those of student's age.
_STUDENTS = f"""
create or replace table students_of_year as
with groups as (select distinct country from students_abroad where country != '_O'),
abroad as (
    select persons.*, stays.country, coalesce(groups.country, '_O') as quota,
        case
            when reason = 'EDUC' and datesub('year', birth_date, date '{{year}}-12-31') <= 35 then 0
            when datesub('year', birth_date, date '{{year}}-12-31') between 18 and 28 then 1
            else 2
        end as tier
    from stays join persons using (person_no) left join groups on groups.country = stays.country
    where stays.country != '{HOME}' and citizenship = '{HOME}' and from_date <= date '{{year}}-12-31'
        and coalesce(to_date, death_date, date '9999-12-31') > date '{{year}}-12-31'
        and datesub('year', birth_date, date '{{year}}-12-31') between 17 and 45
),
ranked as (
    select *, row_number() over (partition by quota order by tier, u('abroad to study', person_no), person_no) as place
    from abroad
)
select ranked.* from ranked
join students_abroad_scaled as quotas on quotas.period = '{{year}}' and quotas.country = quota and place <= wanted
"""

_FILES = """
select
    lpad(cast(person_no * 7368787 % 100000000 as varchar), 8, '0') as NUM_DOSSIER,
    national_id as CIN,
    sex as SEXE,
    extract(year from birth_date) as ANNEE_NAISSANCE,
    name_fr as PAYS,
    case
        when u('level not stated', person_no) < 0.02 then 'X' when u('level', person_no) < 0.45 then 'L'
        when u('level', person_no) < 0.85 then 'M' else 'D'
    end as NIVEAU,
    if(u('scholarship', person_no) < 0.04, 'O', 'N') as BOURSE
from students_of_year join places using (country)
order by NUM_DOSSIER
"""

# Departures of the academic year by country; countries of students stand in where too few departures fall into it.
_DEPARTURES = f"""
create or replace table departures as
with weights as (
    select country, 1000 * count(*) as weight
    from stays join persons using (person_no)
    where country != '{HOME}' and citizenship = '{HOME}' and reason = 'EDUC'
        and from_date between date '{{first_day}}' and date '{{first_day}}' + 364
    group by country
    union all
    select country, count(*) from students_of_year group by country
),
shares as (
    select country, level, wanted, wanted * sum(weight) / sum(sum(weight)) over (partition by level) as share
    from weights, student_departures_scaled
    where period = '{{period}}'
    group by country, level, wanted
),
ranked as (
    select *, cast(floor(share) as bigint) as low,
        row_number() over (partition by level order by share - floor(share) desc, country) as place,
        wanted - sum(cast(floor(share) as bigint)) over (partition by level) as rest
    from shares
)
select name_fr, level, cast(low + cast(place <= rest as int) as bigint) as persons
from ranked join places using (country)
where low + cast(place <= rest as int) > 0
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write the files of each year of the recipe, and the departures, under `out/<source>/<period>/`."""
    con = country.con
    make_scaled(country, "students_abroad", "persons")
    make_scaled(country, "student_departures", "persons")
    make_recipe_table(country, "places")
    samples = []
    for (year,) in con.execute("select distinct period from students_abroad order by period").fetchall():
        con.execute(_STUDENTS.format(year=year))
        path = out / "students_abroad" / year / f"etudiants_a_l_etranger_{year}_{MARK}.csv"
        write_csv(con, _FILES, path, delimiter=";", encoding="windows-1252")
        samples.append(Sample("students_abroad", year, [path]))
    for (period,) in con.execute("select distinct period from student_departures order by period").fetchall():
        con.execute(_DEPARTURES.format(period=period, first_day=f"{period[:4]}-10-01"))
        rows = con.execute("from departures order by name_fr, level").fetchall()
        path = out / "student_departures" / period / f"departs_etudiants_{period}_{MARK}.xlsx"
        write_workbook(path, "Departs", [*titles(country, "student_departures"), ("PAYS", "NIVEAU", "EFFECTIF"), *rows])
        samples.append(Sample("student_departures", period, [path]))
    return samples
