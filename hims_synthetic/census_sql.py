"""The queries of a census over the country, one thought each: residents, heads, couples, members, answers, emigrants.

Names in braces are fields of `census.Wave`. `u(stream, i)` is uniform in [0, 1) and always the same.
"""

from hims_synthetic.streams import HOME

# Who lives here on census day, and where five years before: those whose stay began later lived elsewhere.
RESIDENTS = f"""
with present as (
    select * from stays
    where country = '{HOME}' and from_date <= date '{{day}}' and (to_date is null or to_date > date '{{day}}')
),
newcomers as (
    select person_no from present where from_date > date '{{before}}'
),
earlier as (
    select stays.person_no, stays.country as country_5y, stays.governorate as governorate_5y
    from stays
    join newcomers on stays.person_no = newcomers.person_no
    where stays.from_date <= date '{{before}}' and stays.to_date > date '{{before}}'
)
select
    present.person_no, present.governorate, earlier.country_5y, earlier.governorate_5y, persons.sex, persons.birth_date,
    persons.birth_country, persons.birth_governorate, persons.citizenship, persons.national_id, persons.given_no,
    persons.family_no, persons.education as final_education, persons.occupation,
    cast(date_sub('year', persons.birth_date, date '{{day}}') as int) as age
from present
join persons on present.person_no = persons.person_no
left join earlier on present.person_no = earlier.person_no
order by present.governorate
"""

PEOPLE = "select * from residents where governorate in ({places})"

# Mostly men of 30 and over.
HEADS = """
with sizes as (
    select governorate, round(count(*) / {household_size}) as households from people group by governorate
),
ranked as (
    select person_no, governorate, sex, age, row_number() over (
        partition by governorate
        order by u('head {year}', person_no) + if(sex = 'F', 0.6, 0) + if(age < 30, 0.5, 0), person_no
    ) as place
    from people where age >= 20
)
select person_no, governorate, sex, age, place, cast(households as int) as households
from ranked join sizes using (governorate)
where place <= households
"""

# Four of five male heads have a wife, of like age: both are taken at random and paired by rank of age.
COUPLES = """
with husbands as (
    select *, row_number() over (partition by governorate order by u('husband {year}', person_no)) as place_drawn
    from heads where sex = 'M'
),
wives as (
    select person_no, governorate, age,
        row_number() over (partition by governorate order by u('wife {year}', person_no)) as place_drawn
    from people anti join heads using (person_no) where sex = 'F' and age >= 20
),
wanted as (
    select governorate, least(floor(0.8 * husbands), wives) as couples
    from (select governorate, count(*) as husbands from husbands group by governorate)
    join (select governorate, count(*) as wives from wives group by governorate) using (governorate)
),
husbands_by_age as (
    select governorate, place, row_number() over (partition by governorate order by age, person_no) as pair
    from husbands join wanted using (governorate) where place_drawn <= couples
),
wives_by_age as (
    select person_no, governorate, row_number() over (partition by governorate order by age, person_no) as pair
    from wives join wanted using (governorate) where place_drawn <= couples
)
select person_no, place from wives_by_age join husbands_by_age using (governorate, pair)
"""

# Everybody else lives in any household of the governorate; the relationship follows from the difference in age.
MEMBERS = """
with others as (
    select * from people anti join heads using (person_no) anti join couples using (person_no)
),
sizes as (
    select governorate, any_value(households) as households from heads group by governorate
),
drawn as (
    select others.person_no, others.governorate, others.age,
        cast(1 + floor(u('household {year}', others.person_no) * sizes.households) as int) as place
    from others join sizes using (governorate)
),
placed as (
    select person_no, place, '1' as relationship from heads
    union all
    select person_no, place, '2' from couples
    union all
    select drawn.person_no, drawn.place, case
        when u('unrelated {year}', drawn.person_no) < 0.01 then '6'
        when heads.age - drawn.age >= 16 then '3'
        when drawn.age - heads.age >= 16 then '4'
        else '5'
    end
    from drawn
    join heads on heads.governorate = drawn.governorate and heads.place = drawn.place
)
select
    people.*,
    governorate || lpad(cast(place as varchar), 6, '0') as household_no,
    row_number() over (
        partition by governorate, place order by least(relationship, '3'), age desc, person_no
    ) as line_no,
    relationship
from placed join people using (person_no)
"""

# What they answer, as codes of the newest wave; XXX is a country that is not stated. Movers, returnees and arrivals all
# state where they were, and who came from abroad of which country they are, so that published numbers come out.
ANSWERS = f"""
with stated as (
    select
        *,
        citizenship != '{HOME}' as is_foreign,
        country_5y is not null and country_5y != '{HOME}' as was_abroad,
        citizenship = '{HOME}' and coalesce(country_5y, '{HOME}') = '{HOME}'
            and u('citizenship not stated {{year}}', person_no) < 0.0005 as no_citizenship,
        u('birthplace not stated {{year}}', person_no) < 0.002 as no_birthplace,
        country_5y is null and u('residence not stated {{year}}', person_no) < 0.004 as no_residence
    from members
)
select
    household_no, line_no, governorate, relationship, sex, age, given_no, family_no,
    if(age >= 18, national_id, null) as national_id,
    case when no_citizenship then '9' when is_foreign then '2' else '1' end as citizenship,
    if(no_citizenship, 'XXX', citizenship) as nationality,
    case when no_birthplace then '9' when birth_country != '{HOME}' then '2' else '1' end as birthplace,
    if(no_birthplace, 'XXX', birth_country) as country_of_birth,
    if(no_birthplace, null, birth_governorate) as governorate_of_birth,
    case
        when age < 5 then '8'
        when was_abroad then '3'
        when country_5y is not null then '2'
        when no_residence then '9'
        else '1'
    end as residence_5y,
    if(was_abroad, country_5y, null) as country_of_residence_5y,
    if(age >= 5, governorate_5y, null) as governorate_of_residence_5y,
    case
        when age < 6 then '8'
        when u('education not stated {{year}}', person_no) < 0.003 then '9'
        when final_education = '0' then '0'
        when age < 12 then '1'
        when age < 16 then least('2', final_education)
        when age < 20 then least('3', final_education)
        else final_education
    end as education,
    case
        when age < 15 then '8'
        when u('activity not stated {{year}}', person_no) < 0.003 then '9'
        when age < 25 and final_education = '5' or age < 20 and final_education in ('2', '3') then '3'
        when age >= 60 and u('retired {{year}}', person_no) < 0.9 then if(occupation is not null, '5', '4')
        when occupation is not null then if(u('activity {{year}}', person_no) < if(sex = 'M', 0.86, 0.78), '1', '2')
        when sex = 'F' then '4'
        else '6'
    end as activity
from stated
"""

NAMED = """
select answers.*,
    given.latin || ' ' || family.latin as full_name,
    given.arabic || ' ' || family.arabic as full_name_ar
from answers
join names as given on given.part = answers.sex and given.no = answers.given_no
join names as family on family.part = 'family' and family.no = answers.family_no
"""

# Whom a household left behind reports: of those who left in the five years before and live abroad on census day, as
# many by country and sex as are reported. Households that left whole are the rest.
LEAVERS = f"""
with left_home as (
    select person_no, stay_no, from_date, country, reason
    from stays
    where country != '{HOME}' and stay_no > 1 and from_date > date '{{before}}' and from_date <= date '{{day}}'
        and (to_date is null or to_date > date '{{day}}')
),
named as (
    select left_home.*, home.governorate, persons.sex, persons.birth_date, persons.education as final_education
    from left_home
    join stays as home on home.person_no = left_home.person_no and home.stay_no = left_home.stay_no - 1
    join persons on persons.person_no = left_home.person_no
    where home.country = '{HOME}' and persons.citizenship = '{HOME}'
),
ranked as (
    select *, row_number() over (
        partition by country, sex order by u('reported {{year}}', person_no), person_no
    ) as place
    from named
)
select ranked.*, cast(date_sub('year', birth_date, date '{{day}}') as int) as age
from ranked
join reported on reported.country = ranked.country and reported.sex = ranked.sex
where place <= n and from_date <= date '{{left_until}}'
"""

EMIGRANTS = """
with sizes as (
    select governorate, any_value(households) as households from heads group by governorate
),
homes as (
    select leavers.*, governorate || lpad(cast(
        cast(1 + floor(u('household left {year}', person_no) * households) as int) as varchar), 6, '0') as household_no
    from leavers join sizes using (governorate)
)
select
    household_no, governorate, sex, age, country, cast(year(from_date) as int) as departure_year,
    row_number() over (partition by household_no order by from_date, person_no) as emigrant_no,
    case
        when u('reason not stated {year}', person_no) < 0.004 then '9'
        when reason = 'EMP' then if(u('contract', person_no) < 0.333, '2', '1')
        when reason = 'EDUC' then '3'
        when reason = 'FAM' then '4'
        else '5'
    end as reason,
    case
        when age < 6 then '8'
        when u('education not stated {year}', person_no) < 0.01 then '9'
        when age < 12 then least('1', final_education)
        else final_education
    end as education
from homes
"""
