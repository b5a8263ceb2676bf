"""The queries of the census sample, one thought each: people, heads, couples, members, origins, answers, layouts.

Names in braces are fields of `census.Wave`. `u(stream, i)` is uniform in [0, 1) and always the same.
"""

from hims_pipeline.synthetic.streams import HOME

PEOPLE = """
with numbered as (
    select {first_id} + row_number() over (order by governorate, k) as i, governorate, foreigners_weight
    from (select *, unnest(range(cast(round(persons_{year} / 1000) as bigint))) as k from governorates)
),
age_groups as (
    select first_age, last_age, percent_{year} as width, sum(percent_{year}) over (order by first_age) as upto from ages
)
select
    i,
    governorate,
    foreigners_weight,
    if(u('sex', i) * 100 < {percent_women}, 'F', 'M') as sex,
    cast(first_age + floor(u('age in group', i) * (last_age - first_age + 1)) as bigint) as age
from numbered
join age_groups on u('age group', i) * 100 >= upto - width and u('age group', i) * 100 < upto
"""

# Mostly men of 30 and over.
HEADS = """
with sizes as (
    select governorate, round(count(*) / {household_size}) as households from people group by governorate
),
ranked as (
    select *, row_number() over (
        partition by governorate
        order by u('head', i) + if(sex = 'F', 0.6, 0) + if(age < 30, 0.5, 0), i
    ) as place
    from people where age >= 20
)
select i, governorate, sex, age, place, households, row_number() over (order by governorate, place) as household
from ranked join sizes using (governorate)
where place <= households
"""

# Four of five male heads have a wife, of like age: both are taken at random and paired by rank of age.
COUPLES = """
with husbands as (
    select *, row_number() over (partition by governorate order by u('husband', i), i) as place_drawn
    from heads where sex = 'M'
),
wives as (
    select *, row_number() over (partition by governorate order by u('wife', i), i) as place_drawn
    from people anti join heads using (i) where sex = 'F' and age >= 20
),
wanted as (
    select governorate, least(floor(0.8 * husbands), wives) as couples
    from (select governorate, count(*) as husbands from husbands group by governorate)
    join (select governorate, count(*) as wives from wives group by governorate) using (governorate)
),
husbands_by_age as (
    select governorate, household, row_number() over (partition by governorate order by age, i) as pair
    from husbands join wanted using (governorate) where place_drawn <= couples
),
wives_by_age as (
    select i, governorate, row_number() over (partition by governorate order by age, i) as pair
    from wives join wanted using (governorate) where place_drawn <= couples
)
select i, household from wives_by_age join husbands_by_age using (governorate, pair)
"""

# Everybody else lives in any household of the governorate; the relationship follows from the difference in age.
MEMBERS = """
with others as (
    select * from people anti join heads using (i) anti join couples using (i)
),
placed as (
    select i, household, '1' as relationship from heads
    union all
    select i, household, '2' from couples
    union all
    select others.i, household, case
        when u('unrelated', others.i) < 0.01 then '6'
        when heads.age - others.age >= 16 then '3'
        when others.age - heads.age >= 16 then '4'
        else '5'
    end
    from others
    join heads on heads.governorate = others.governorate
        and heads.place = 1 + floor(u('household', others.i) * heads.households)
)
select
    people.*,
    lpad(cast(household as varchar), 6, '0') as household_no,
    row_number() over (partition by household order by least(relationship, '3'), age desc, i) as line_no,
    relationship
from placed join people using (i)
"""

# A country for everybody: of foreigners their own, of citizens the one where they were if they were abroad.
ORIGINS = """
with bands as (
    select true as is_foreign, country, percent_{year} as width, sum(percent_{year}) over (order by n) as upto
    from nationalities
    union all
    select false, country, percent_citizens_abroad, sum(percent_citizens_abroad) over (order by n)
    from nationalities
),
ranked as (
    select *, row_number() over (order by u('foreigner', i) / foreigners_weight, i) <= {foreigners} as is_foreign
    from members
),
with_country as (
    select ranked.*, bands.country
    from ranked
    join bands on ranked.is_foreign = bands.is_foreign
        and u('country', i) * 100 >= upto - width and u('country', i) * 100 < upto
)
select
    *,
    if(is_foreign, u('born abroad', i) < 0.85, u('born abroad', i) < 0.004) as is_born_abroad,
    age >= 5 and row_number() over (partition by is_foreign order by age < 5, u('abroad', i), i)
        <= if(is_foreign, {arrived}, {returned}) as was_abroad
from with_country
"""

ANSWERS = f"""
with stated as (
    select
        *,
        not is_foreign and u('citizenship not stated', i) < 0.0005 as no_citizenship,
        u('birthplace not stated', i) < 0.002 as no_birthplace,
        u('residence not stated', i) < 0.004 and not was_abroad as no_residence
    from origins
)
select
    *,
    if(not is_foreign and age >= 18, '9' || lpad(cast(i * 7368787 % 10000000 as varchar), 7, '0'), null) as national_id,
    case when no_citizenship then '9' when is_foreign then '2' else '1' end as citizenship,
    case when no_citizenship then 'XXX' when is_foreign then country else '{HOME}' end as nationality,
    case when no_birthplace then '9' when is_born_abroad then '2' else '1' end as birthplace,
    case when no_birthplace then 'XXX' when is_born_abroad then country else '{HOME}' end as country_of_birth,
    case
        when age < 5 then '8'
        when was_abroad then '3'
        when no_residence then '9'
        when u('moved', i) * 100 < {{percent_moved}} then '2'
        else '1'
    end as residence_5y,
    if(was_abroad, country, null) as country_of_residence_5y,
    case
        when age < 6 then '8'
        when u('education not stated', i) < 0.003 then '9'
        when age < 12 then '1'
        when age < 16 then '2'
        when age < 20 then '3'
        when u('no school', i) < least(0.6, 0.03 + 0.008 * greatest(age - 25, 0)) then '0'
        when u('education', i) < 0.30 then '1'
        when u('education', i) < 0.50 then '2'
        when u('education', i) < 0.75 then '3'
        when u('education', i) < 0.82 then '4'
        else '5'
    end as education,
    case
        when age < 15 then '8'
        when u('activity not stated', i) < 0.003 then '9'
        when age < 25 and u('student', i) < 0.6 then '3'
        when age >= 60 and u('retired', i) < 0.9 then if(sex = 'M' or u('home', i) < 0.2, '5', '4')
        when u('activity', i) < if(sex = 'M', 0.72, 0.26) then '1'
        when u('activity', i) < if(sex = 'M', 0.84, 0.34) then '2'
        when sex = 'F' then '4'
        else '6'
    end as activity,
    (select count(*) from names where part = sex) as given_names,
    (select count(*) from names where part = 'family') as family_names
from stated
"""

_NAMED = """
with given as (
    select part, latin, arabic, row_number() over (partition by part order by n) - 1 as k from names
)
select answers.*,
    given.latin || ' ' || family.latin as full_name,
    given.arabic || ' ' || family.arabic as full_name_ar
from answers
join given on given.part = sex and given.k = floor(u('given name', i) * given_names)
join given as family on family.part = 'family' and family.k = floor(u('family name', household_no) * family_names)
"""

LAYOUT_2024 = f"""
select household_no, line_no, governorate, relationship, sex, age, national_id, full_name, full_name_ar, citizenship,
    nationality, birthplace, country_of_birth, residence_5y, country_of_residence_5y, education, activity
from ({_NAMED}) order by household_no, line_no
"""


def _code_2014(country: str) -> str:
    return f"if({country} = 'XXX', '99', (select code_2014 from nationalities where country = named.{country}))"


LAYOUT_2014 = f"""
select
    governorate as GOUV,
    household_no as N_MENAGE,
    line_no as N_ORDRE,
    full_name as NOM_PRENOM,
    full_name_ar as NOM_PRENOM_AR,
    national_id as CIN,
    ['Chef de ménage', 'Conjoint', 'Enfant', 'Père ou mère', 'Autre parent', 'Sans lien'][cast(relationship as int)]
        as LIEN_PARENTE,
    if(sex = 'M', '1', '2') as SEXE,
    lpad(cast(age as varchar), 2, '0') as AGE,
    ['1', '2', '3', '4', '5', '6', null, null, '0', '9'][cast(education as int) + 1] as NIVEAU_INSTR,
    ['A', 'C', 'I', 'I', 'I', 'I', null, 'Z', 'N'][cast(activity as int)] as ACTIVITE,
    citizenship as NAT_TN,
    {_code_2014("nationality")} as PAYS_NAT,
    birthplace as LIEU_NAISS,
    {_code_2014("country_of_birth")} as PAYS_NAISS,
    residence_5y as RESID_2009,
    {_code_2014("country_of_residence_5y")} as PAYS_2009
from ({_NAMED}) as named order by governorate, household_no, line_no
"""
