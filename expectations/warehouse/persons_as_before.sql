-- Persons of a register who stood in an earlier delivery or list of it, and those told otherwise now in what does not
-- change: sex, year of birth, and, but for naturalisations, citizenship.
with told as (
    select source, entity, period, period_end_date, holder_id as person, sex, year(birth_date) as birth_year,
        country_of_citizenship_code as citizenship
    from conformed.fct_permits
    union all
    select source, entity, period, period_end_date, student_id, sex, year(birth_date), country_of_citizenship_code
    from conformed.fct_enrolments
    where is_microdata
    union all
    select source, entity, period, period_end_date, person_id, sex, birth_year, country_of_citizenship_code
    from conformed.fct_insurance_periods
    where is_person_known
    union all
    select source, entity, period, period_end_date, person_id, sex, year(birth_date), null
    from conformed.fct_registrations
    union all
    select source, entity, period, period_end_date, person_id, sex, null, null
    from conformed.fct_placements
),

persons as (
    select
        source,
        entity,
        period,
        person,
        max(period_end_date) as day,
        case when min(sex) = max(sex) then nullif(min(sex), '_U') end as sex,
        case when min(birth_year) = max(birth_year) then min(birth_year) end as birth_year,
        case when min(citizenship) = max(citizenship) then nullif(min(citizenship), '_U') end as citizenship
    from told
    where person is not null
    group by source, entity, period, person
),

beside as (
    select
        source,
        period,
        sex,
        birth_year,
        citizenship,
        lag(sex ignore nulls) over earlier as sex_before,
        lag(birth_year ignore nulls) over earlier as birth_year_before,
        lag(citizenship ignore nulls) over earlier as citizenship_before
    from persons
    window earlier as (partition by source, person order by day, entity)
)

select
    source,
    period,
    count(sex = sex_before) as with_sex,
    count(*) filter (sex != sex_before) as of_another_sex,
    count(birth_year = birth_year_before) as with_birth_year,
    count(*) filter (abs(birth_year - birth_year_before) > 1) as of_another_age,
    count(citizenship = citizenship_before) as with_citizenship,
    count(*) filter (citizenship != citizenship_before) as of_another_citizenship
from beside
group by source, period
