"""The consular register of the synthetic country: who ever lived abroad and registered there, as it stands on a day.

Its quirks are those of the real one: nobody is struck off, so returned and dead persons stay; who moved on, or had a
passport renewed, may be registered twice; names are spelt in many ways; some countries are left out of one edition.
Persons are as many as published, registrations some more.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv
from hims_synthetic.totals import make_recipe_table, make_scaled

ENCODINGS = {"2008-12-31": "windows-1256"}  # later editions are UTF-8 with a byte order mark
PERCENT_TWICE = 1.5
_TEN_TO_8 = 100_000_000
_SCRAMBLE = 7_368_787  # without a factor in common with powers of ten: the numbers stay different

# One row a citizen and stay abroad, with the day on which the person registered there.
_ABROAD = f"""
create or replace table consular_stays as
select person_no, country, from_date,
    from_date + cast(floor(600 * u('registers', person_no * 100 + stay_no) ** 2) as int) as registered_on,
    row_number() over (partition by person_no order by from_date) as place
from stays join persons using (person_no)
where country != '{HOME}' and (citizenship = '{HOME}' or second_citizenship = '{HOME}')
"""

# Who is in an edition: first who was in one before, then others at random, as many as published, by sex where that
# was published too.
_CHOSEN = """
create or replace table consular_chosen as
with eligible as (
    select person_no, arg_min(country, registered_on) as country, min(registered_on) as registered_on
    from consular_stays
    where registered_on <= date '{day}' and country not in (select unnest(string_split('{excluded}', ' ')))
    group by person_no
),
ranked as (
    select eligible.*, quota.wanted, row_number() over (
        partition by quota.sex order by before.person_no is null, u('consular', eligible.person_no), eligible.person_no
    ) as place
    from eligible join persons using (person_no) left join consular_before as before using (person_no)
    join consular_register_scaled as quota on quota.period = '{day}' and quota.sex in (persons.sex, '_T')
)
select * from ranked where place <= wanted
"""

# A second registration: where the person moved on to, or at another post of the same country, with a new passport.
_REGISTRATIONS = """
create or replace table consular_rows as
with moved_on as (
    select person_no, arg_min(country, registered_on) as country, min(registered_on) as registered_on
    from consular_stays
    where registered_on <= date '{day}' and place > 1
        and country not in (select unnest(string_split('{excluded}', ' ')))
    group by person_no
)
select person_no, 0 as again, country, registered_on from consular_chosen
union all
select person_no, 1, coalesce(moved_on.country, consular_chosen.country),
    coalesce(moved_on.registered_on, least(consular_chosen.registered_on + 700, date '{day}'))
from consular_chosen left join moved_on using (person_no)
where u('registered twice', person_no) * 100 < {percent_twice}
"""

_WRITTEN = """
with posts as (
    select country, post, row_number() over (partition by country order by n) - 1 as k,
        count(*) over (partition by country) as posts
    from consulates
),
variants as (
    select latin, variant, row_number() over (partition by latin order by n) - 1 as k,
        count(*) over (partition by latin) as many
    from spellings
),
registered as (
    select *, person_no * 2 + again as i, datesub('year', birth_date, date '{day}') as age
    from consular_rows join persons using (person_no)
),
named as (
    select registered.*, posts.post, places.name_fr,
        if(u('spelling', i) < 0.3, coalesce(variants.variant, given.latin), given.latin) as given_latin,
        family.latin as family_latin, given.arabic || ' ' || family.arabic as name_arabic
    from registered
    join places using (country)
    join names as given on given.part = sex and given.no = given_no
    join names as family on family.part = 'family' and family.no = family_no
    left join variants on variants.latin = given.latin and variants.k = i % variants.many
    left join posts on posts.country = registered.country
        and posts.k = cast(floor(u('post', i) * posts.posts) as bigint)
)
select
    country || lpad(cast(i * {scramble} % {ten_to_8} as varchar), 8, '0') as NUM_INSCRIPTION,
    national_id as CIN,
    if(again = 1 and national_id is not null,
        'Z' || lpad(cast(i * {scramble} % {ten_to_8} as varchar), 8, '0'), passport_no) as PASSEPORT,
    case
        when u('hand', i) < 0.15 then upper(family_latin || ' ' || given_latin)
        when u('hand', i) < 0.25 then replace(family_latin, ' ', '-') || ' ' || given_latin
        when u('hand', i) < 0.35 then replace(given_latin || ' ' || family_latin, 'ou', 'u')
        else given_latin || ' ' || family_latin
    end as NOM_PRENOM,
    if(u('alef', i) < 0.25, translate(name_arabic, 'أإآةى', 'اااهي'), name_arabic) as NOM_PRENOM_AR,
    {sex} as SEXE,
    strftime(birth_date, '%d/%m/%Y') as DATE_NAISSANCE,
    name_fr as PAYS,
    coalesce(post, 'Ambassade (' || name_fr || ')') as POSTE,
    case when age < 15 then '1' when age < 30 then '2' when age < 60 then '3' else '4' end as TRANCHE_AGE,
    case
        when u('group not stated', i) < 0.02 then '9'
        when age < 6 then '7'
        when age < 18 or (age < 25 and occupation is null) then '5'
        when left(occupation, 1) in ('1', '2', '3') then '1'
        when left(occupation, 1) = '4' then '2'
        when left(occupation, 1) = '5' then if(u('trader', i) < 0.4, '4', '2')
        when occupation is not null then '3'
        when age >= 60 then '6'
        else '7'
    end as CATEGORIE,
    case
        when u('dual not stated', i) < 0.01 then 'X'
        when second_citizenship is not null then 'O'
        else 'N'
    end as BINATIONAL,
    strftime(registered_on, '%d/%m/%Y') as DATE_INSCRIPTION
from named
order by NUM_INSCRIPTION
"""


def write(country: Country, out: Path) -> list[Sample]:
    """Write one file an edition under `out/consular_register/<period>/`.

    Where fewer citizens ever registered abroad than were published, all of them are in the edition, and no more.
    """
    con = country.con
    make_scaled(country, "consular_register", "persons")
    for name in ("places", "consulates", "spellings"):
        make_recipe_table(country, name)
    con.execute(_ABROAD)
    con.execute("create or replace table consular_before (person_no bigint)")
    editions = con.execute(
        "select period, coalesce(max(excluded), '') from consular_register group by period order by period"
    ).fetchall()
    samples = []
    for day, excluded in editions:
        encoding = ENCODINGS.get(day, "utf-8-sig")
        words = {
            "day": day, "excluded": excluded, "percent_twice": PERCENT_TWICE,
            "scramble": _SCRAMBLE, "ten_to_8": _TEN_TO_8,
            "sex": "if(sex = 'M', '1', '2')" if encoding == "windows-1256" else "sex",
        }  # fmt: skip
        con.execute(_CHOSEN.format_map(words))
        con.execute(_REGISTRATIONS.format_map(words))
        path = out / "consular_register" / day / f"registre_consulaire_{day}_{MARK}.csv"
        write_csv(con, _WRITTEN.format_map(words), path, delimiter=";", encoding=encoding)
        con.execute("insert into consular_before (select person_no from consular_chosen except from consular_before)")
        samples.append(Sample("consular_register", day, [path]))
    return samples
