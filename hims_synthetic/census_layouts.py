"""How each wave of the census is written: names, codes and order of its columns, as SQL over `answers` and `emigrants`.

Not here: what persons answer (`census_sql`), or writing files (`census`).
"""

from hims_synthetic.census_sql import NAMED

RELATIONSHIPS = "['Chef de ménage', 'Conjoint', 'Enfant', 'Père ou mère', 'Autre parent', 'Sans lien']"


def _code(column: str, codes: str, missing: str) -> str:
    """SQL: a country in the codes of one column of `nationalities`."""
    return (
        f"if({column} = 'XXX', '{missing}',"
        f" (select {codes} from nationalities as listed where listed.country = named.{column}))"
    )


def _m49(column: str) -> str:
    return _code(column, "m49", "999")


PERSONS_2024 = f"""
select household_no, line_no, governorate, relationship, sex, age, national_id, full_name, full_name_ar, citizenship,
    nationality, birthplace, country_of_birth, governorate_of_birth, residence_5y, country_of_residence_5y,
    governorate_of_residence_5y, education, activity
from ({NAMED}) order by household_no, line_no
"""

EMIGRANTS_2024 = """
select household_no, emigrant_no, governorate, sex, age, country, departure_year, reason, education
from emigrants order by household_no, emigrant_no
"""

PERSONS_2014 = f"""
select
    governorate as GOUV,
    household_no as N_MENAGE,
    line_no as N_ORDRE,
    full_name as NOM_PRENOM,
    full_name_ar as NOM_PRENOM_AR,
    national_id as CIN,
    {RELATIONSHIPS}[cast(relationship as int)] as LIEN_PARENTE,
    if(sex = 'M', '1', '2') as SEXE,
    if(age < 10, '0', '') || age as AGE,
    ['1', '2', '3', '4', '5', '6', null, null, '0', '9'][cast(education as int) + 1] as NIVEAU_INSTR,
    ['A', 'C', 'I', 'I', 'I', 'I', null, 'Z', 'N'][cast(activity as int)] as ACTIVITE,
    citizenship as NAT_TN,
    {_code("nationality", "code_2014", "99")} as PAYS_NAT,
    birthplace as LIEU_NAISS,
    {_code("country_of_birth", "code_2014", "99")} as PAYS_NAISS,
    governorate_of_birth as GOUV_NAISS,
    residence_5y as RESID_2009,
    {_code("country_of_residence_5y", "code_2014", "99")} as PAYS_2009,
    governorate_of_residence_5y as GOUV_2009
from ({NAMED}) as named order by household_no, line_no
"""

EMIGRANTS_2014 = f"""
select
    household_no as N_MENAGE,
    emigrant_no as N_EMIGRE,
    governorate as GOUV,
    if(sex = 'M', '1', '2') as SEXE,
    age as AGE,
    {_code("country", "code_2014", "99")} as PAYS_DEST,
    departure_year as ANNEE_DEPART,
    reason as MOTIF,
    education as NIVEAU_INSTR
from emigrants as named order by household_no, emigrant_no
"""

# Every fifth household of a governorate from a random start: its number is the governorate's code and its place there.
ONE_IN_FIVE = f"""
select
    household_no as N_MENAGE,
    line_no as N_ORDRE,
    governorate as GOUV,
    if(sex = 'M', '1', '2') as SEXE,
    age as AGE,
    {_m49("nationality")} as PAYS_NAT,
    citizenship as NAT_TN,
    birthplace as LIEU_NAISS,
    {_m49("country_of_birth")} as PAYS_NAISS,
    residence_5y as RESID_2009
from answers as named
where (cast(substr(household_no, 3) as int) + floor(5 * u('one in five', cast(governorate as int)))) % 5 = 0
order by household_no, line_no
"""

PERSONS_2004 = f"""
select
    governorate as GOUV,
    household_no as MENAGE,
    line_no as P01_NUM,
    relationship as P02_LIEN,
    if(sex = 'M', '1', '2') as P03_SEXE,
    age as P04_AGE,
    citizenship as P05_NAT,
    {_m49("nationality")} as P06_PAYSNAT,
    birthplace as P07_NAISS,
    {_m49("country_of_birth")} as P08_PAYSNAIS,
    governorate_of_birth as P09_GOUVNAIS,
    residence_5y as P10_RES99,
    {_m49("country_of_residence_5y")} as P11_PAYS99,
    governorate_of_residence_5y as P12_GOUV99,
    education as P13_NIVEAU,
    activity as P14_ACTIV
from answers as named order by household_no, line_no
"""

EMIGRANTS_2004 = f"""
select
    governorate as GOUV,
    household_no as MENAGE,
    emigrant_no as E01_NUM,
    if(sex = 'M', '1', '2') as E02_SEXE,
    age as E03_AGE,
    {_m49("country")} as E04_PAYS,
    departure_year as E05_ANNEE,
    reason as E06_MOTIF,
    education as E07_NIVEAU
from emigrants as named order by household_no, emigrant_no
"""

# On census day La Manouba was part of Ariana: `merged` gives the code of the time.
PERSONS_1994 = f"""
select
    {{merged_governorate}} as GOUV,
    household_no as MENAGE,
    line_no as PERS,
    relationship as LIEN,
    if(sex = 'M', '1', '2') as SEXE,
    age as AGE,
    citizenship as NAT,
    {_m49("nationality")} as PAYSNAT,
    birthplace as NAISS,
    {_m49("country_of_birth")} as PAYSNAIS,
    {{merged_governorate_of_birth}} as GOUVNAIS,
    residence_5y as RES89,
    {_m49("country_of_residence_5y")} as PAYS89,
    {{merged_governorate_of_residence_5y}} as GOUV89,
    ['1', '2', '3', '4', '4', '5', null, null, '0', '9'][cast(education as int) + 1] as NIVEAU,
    activity as ACTIV
from answers as named order by household_no, line_no
"""
