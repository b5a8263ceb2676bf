"""The migration survey's samples and answers in SQL, over `persons` and `stays` of the synthetic country.

Made from the country: who the people are, where they live, when, why and how they moved. Invented here: households,
districts, answers on opinions. `{home}` is the country, `{day}` the day that the sample describes.
"""

# Who lives where on the day. Second generations, who never lived at home, have no household there.
HERE = """
select person_no, country, governorate, from_date, reason, route
from stays
where from_date <= date '{day}' and (to_date is null or to_date > date '{day}')
"""
LEFT_HOME = """
select here.person_no, arg_max(stays.governorate, stays.from_date) as governorate
from hims_here as here
join stays on here.person_no = stays.person_no and stays.country = '{home}' and stays.from_date < here.from_date
where here.country != '{home}'
group by here.person_no
"""
CAME_BACK = """
select here.person_no, max(stays.to_date) as back_date, arg_max(stays.country, stays.to_date) as country,
    arg_max(stays.reason, stays.to_date) as reason, arg_max(stays.route, stays.to_date) as route
from stays
join hims_here as here on stays.person_no = here.person_no and here.country = '{home}'
where stays.country != '{home}' and stays.to_date <= date '{day}'
    and stays.to_date >= stays.from_date + interval 3 month
group by here.person_no
"""
# Of the many who never left, one in so many is enough to draw from; a fixed step, the same for the same country.
STAYED = """
select here.person_no, here.governorate
from hims_here as here
where here.country = '{home}' and here.person_no * 7919 % 1000003 < {stayed_steps}
    and not exists (select 1 from stays where stays.person_no = here.person_no and stays.country != '{home}')
"""

CANDIDATES = """
with groups as (
    select here.person_no, 'current' as population, h.governorate, here.country as other_country,
        year(here.from_date) as move_year, here.reason, here.route
    from hims_left_home as h join hims_here as here using (person_no)
    union all
    select b.person_no, 'return', here.governorate, b.country, year(b.back_date), b.reason, b.route
    from hims_came_back as b join hims_here as here using (person_no)
    union all
    select person_no, 'non', governorate, null, null, null, null from hims_stayed
    union all
    select here.person_no, 'foreign', here.governorate,
        if(p.birth_country = '{home}', p.citizenship, p.birth_country), year(here.from_date), here.reason, here.route
    from hims_here as here join persons as p using (person_no)
    where here.country = '{home}' and p.citizenship != '{home}' and here.from_date <= date '{day}' - interval 6 month
),
people as (
    select g.*, p.sex, p.citizenship, p.education, datediff('year', p.birth_date, date '{day}')
        - cast(strftime(p.birth_date, '%m%d') > strftime(date '{day}', '%m%d') as int) as age
    from groups as g join persons as p using (person_no)
    where (g.population = 'foreign') = (p.citizenship != '{home}')
)
select *, row_number() over (partition by population order by u('hims draw ' || population, person_no)) as drawn,
    1 + cast(u('hims milieu', person_no) >= {urban_share} as int) as milieu
from people
where (age >= 15 or population = 'foreign') and age <= 97
"""

# Drawn for an interview; drawn and not met; only listed.
DRAWN = """
select c.*, g.class,
    case when drawn <= g.interviews then 1
        when drawn <= g.interviews * 1.087 then 2 + cast(floor(3 * u('hims result', person_no)) as int) end as result
from hims_candidates as c
join hims_groups as g using (population)
where drawn <= greatest(g.interviews * 1.087, g.interviews * g.listed_per_drawn, g.listed)
"""
# Where two emigrants are of one household they stand next to each other; a household has one class and one result.
HOUSEHOLDS = """
with numbered as (
    select *, row_number() over (partition by population, governorate, milieu, result order by drawn) - 1 as n
        from hims_drawn
),
paired as (
    select *, if(population = 'current', n * 5 // 6, n) as home_no from numbered
),
homes as (
    select population, governorate, milieu, result, home_no, min(person_no) as first_person from paired group by all
),
placed as (
    select *, row_number() over (partition by governorate, milieu order by u('hims district',
        first_person)) - 1 as place,
        count(*) over (partition by governorate, milieu) as homes_of_stratum, count(*) over () as homes_in_all
    from homes
),
listed as (
    select *, 1 + place % greatest(2, cast(round({districts} * homes_of_stratum / homes_in_all) as int)) as district
    from placed
),
named as (
    select *, governorate || milieu || lpad(cast(district as varchar), 3, '0') as district_code,
        lpad(cast(row_number() over (order by governorate, milieu, district, place) as varchar), 8, '0') as id_menage
    from listed
)
select paired.* exclude (n), named.id_menage, named.district_code,
    row_number() over (partition by named.id_menage order by paired.person_no) as line
from paired
join named using (population, governorate, milieu, home_no)
where paired.result is not distinct from named.result
"""

# 8 does not know, 9 refuses, 7 was not asked.
ANSWERS = """
with wishes as (
    select *,
        case when age < 30 then '15-29' when age < 60 then '30-59' else '60+' end as age_band,
        case when u('hims wish unanswered', person_no) < {unanswered} then 8 + cast(u('hims refused',
            person_no) < 0.5 as int)
            when population = 'current' then if(u('hims wish', person_no) < 0.949, 1, 2 + cast(u('hims on',
                person_no) < 0.4 as int))
            when u('hims wish', person_no) < case when population = 'return' then 0.172
                when age >= 60 then 0.022 when sex = 'M' then if(age < 30, 0.48, 0.2) else if(age < 30, 0.3,
                    0.11) end then 1
            else 2 end as v702
    from hims_people
    where result = 1
)
select *,
    v702 in (1, 2, 3) and (v702 = 1) != (population = 'current') as wishes_to_leave,
    case when not wishes_to_leave then 7 when u('hims plan unanswered', person_no) < 0.02 then 8
        when u('hims plan', person_no) < 0.143 then 1 else 2 end as v713,
    case when u('hims problem unanswered', person_no) < 0.02 then 9 when u('hims problem', person_no) < 0.278 then 1
        else 2 end as v509,
    case when u('hims invested unanswered', person_no) < 0.02 then 8
        when u('hims invested', person_no) < if(population = 'return', 0.192, 0.12) then 1 else 2 end as v808,
    case when u('hims mode unanswered', person_no) < 0.02 then 9 when u('hims mode', person_no) < 0.82 then 1
        else 2 end as v506,
    case when u('hims route unanswered', person_no) < 0.03 then 8 + cast(u('hims route refused',
        person_no) < 0.6 as int)
        when route = 'IRREGULAR' then 2 else 1 end as v403,
    case when u('hims reason unanswered', person_no) < 0.015 then 8 + cast(u('hims reason refused',
        person_no) < 0.5 as int)
        when reason = 'EMP' then 1 + cast(u('hims contract', person_no) < 0.35 as int) when reason = 'EDUC' then 3
        when reason = 'FAM' then 4 + cast(u('hims family', person_no) < 0.6 as int) else 6 end as v305,
    if(u('hims education unanswered', person_no) < 0.01, 8, 1 + cast(education as int)) as v114,
    case when u('hims activity unanswered', person_no) < 0.01 then 8 when age < 15 or (age < 23
        and education = '5') then 3
        when age >= 62 then 5 when u('hims activity', person_no) < if(sex = 'M', 0.72, 0.32) then 1
        when u('hims activity', person_no) < if(sex = 'M', 0.86, 0.42) then 2 when sex = 'F' then 4 else 6 end as v603
from wishes
"""

# The categories of the margins, by the names that the recipe gives them.
CATEGORIES = """
select person_no, sex, 0.7 + 0.6 * u('hims weight', person_no) as start,
    if(age < 30, '15-29', '30+') as age,
    case when v114 = 1 then 'none' when v114 = 6 then 'higher' else 'other' end as education,
    case when v702 > 3 then 'unanswered' when v702 = 1 then 'yes' else 'no' end as stays,
    case when v702 > 3 then 'unanswered' when v702 = 1 then 'yes' else 'no' end as again,
    if(coalesce(c.region_m49, '') = '150', 'yes', 'no') as europe,
    if(v305 in (1, 2), 'yes', 'no') as work,
    case when sex = 'M' then 'men' when v305 in (4, 5) then 'family' else 'other' end as women_family,
    case when v509 > 2 then 'unanswered' when v509 = 1 then 'yes' else 'no' end as problem,
    case when v808 > 2 then 'unanswered' when v808 = 1 then 'yes' else 'no' end as invested,
    sex || ' ' || again as sex_wish,
    age_band || ' ' || again as age_wish,
    case v713 when 1 then 'yes' when 2 then 'no' when 7 then 'not asked' else 'unanswered' end as plan,
    if(n.region_m49 = '002' and a.citizenship not in (select country
        from hims_country_groups where country_group = 'MAGHREB'),
        'africa', 'other') as origin
from hims_answers as a
left join hims_countries as c on a.other_country = c.country_code
left join hims_countries as n on a.citizenship = n.country_code
where population = '{population}'
order by person_no
"""

_PLACE = "cast(governorate as int) as V001, milieu as V002, district_code as V003"
_HOUSEHOLD = f"id_menage, {_PLACE}"
_PERSON = f"""
    id_menage, id_menage || lpad(cast(line as varchar), 2, '0') as Id_Ind, {_PLACE}, if(sex = 'M', 1, 2) as V101"""
_AGE = "if(u('hims age unanswered', person_no) < 0.003, 98, age) as V108"
_YEAR = "case when u('hims year unanswered', person_no) < 0.02 then 9998 else move_year end"
_COUNTRY = "if(u('hims country refused', person_no) < 0.004, 999, cast(there.m49 as int))"

FILES = {
    "screening": f"""
        select {_HOUSEHOLD}, max(class) as V010, 1 + cast(floor(6 * u('hims size', min(person_no))) as int) as V012,
            count(*) filter (where class = 1) as V013, count(*) filter (where class = 2) as V014,
            count(*) filter (where class = 3) as V015, {{household_weight}} as Poids_Base
        from hims_people group by all order by id_menage""",
    "households": f"""
        select {_HOUSEHOLD}, max(class) as V010, max(result) as V011, if(max(result) = 1, max(weight),
            null) as Poids_Final
        from hims_people left join hims_weights using (person_no)
        where result is not null group by all order by id_menage""",
    "current_migrants": f"""
        select {_PERSON}, {_COUNTRY} as V107, {_AGE},
            case when age < 25 then 1 else 1 + cast(floor(1.9 * u('hims married', person_no)) as int) end as V109,
            v114 as V114, {_YEAR} as V303, v305 as V305,
            if(age < 25, 0, cast(floor(2.5 * u('hims sons', person_no)) as int)) as V308_M,
            if(age < 25, 0, cast(floor(2.5 * u('hims daughters', person_no)) as int)) as V308_F,
            v403 as V403, v603 as V603, v702 as V702, v713 as V713_A, v808 as V808_C, weight as Poids_Final""",
    "return_migrants": f"""
        select {_PERSON}, {_AGE}, v114 as V114, v305 as V305, v403 as V403, {_COUNTRY} as V501, {_YEAR} as V503,
            v506 as V506, v509 as V509, v603 as V603, v702 as V702, v713 as V713_A, v808 as V808_C,
                weight as Poids_Final""",
    "non_migrants": f"""
        select {_PERSON}, {_AGE}, v114 as V114, v603 as V603, v702 as V702,
            if(v702 = 1, if(u('hims dream unknown', person_no) < 0.05, 998, dream.m49), 997) as V704,
            v713 as V713_A, weight as Poids_Final""",
    "foreign_residents": f"""
        select {_PERSON}, {_AGE}, cast(own.m49 as int) as V110, {_COUNTRY} as V111, v114 as V114, {_YEAR} as V303,
            v305 as V305,
            v403 as V403, v603 as V603, weight as Poids_Final""",
}
# Destinations wished for are those where emigrants live.
PERSONS = """
from hims_answers as a
join hims_weights using (person_no)
left join hims_countries as there on a.other_country = there.country_code
left join hims_countries as own on a.citizenship = own.country_code
left join hims_dreams as dream on u('hims dream', person_no) >= dream.above and u('hims dream', person_no) < dream.upto
where population = '{population}'
order by id_menage, line
"""
DREAMS = """
with shares as (
    select cast(c.m49 as int) as m49, count(*) as people from hims_candidates as d
    join hims_countries as c on d.other_country = c.country_code where population = 'current' group by all
),
bands as (
    select m49, sum(people) over (order by m49) / sum(people) over () as upto, people / sum(people) over () as width
        from shares
)
select m49, coalesce(lag(upto) over (order by m49), 0.0) as above, upto from bands
"""
