"""The register of residence cards of the synthetic country: cards of foreigners, renewed as long as they stay.

Its quirks are those of the real one: a card takes months to obtain, students' cards are short, many never ask for one,
and a renewal that is asked for long after the card expired is recorded as a first issue.
"""

from pathlib import Path

from hims_synthetic.country import Country
from hims_synthetic.foreigners import find_foreigners
from hims_synthetic.formats import write_workbook
from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK
from hims_synthetic.totals import make_recipe_table, titles

YEARS = ("2022", "2023", "2024")
# Two lines: a heading stands over the first of its columns, as merged cells leave it.
HEADER = (
    ("TITRE", None, None, None, None, None, None, "TITULAIRE", None, None, None, "ADRESSE", None),
    ("NUMERO", "OPERATION", "MOTIF", "DELIVRE LE", "VALABLE DU", "VALABLE AU", "ETAT", "DOSSIER", "NATIONALITE",
     "NE(E) LE", "SEXE", "GOUVERNORAT", "DELEGATION"),
)  # fmt: skip

# A stay in the country from the day of arrival, moves within it put together; who was born there is asked from 18 on.
_SPELLS = f"""
create or replace table card_spells as
with ordered as (
    select stays.*, coalesce(lag(country) over (partition by person_no order by from_date), '') != '{HOME}' as arrives
    from foreign_stays as stays
),
numbered as (
    select *, sum(cast(arrives as int)) over (partition by person_no order by from_date) as spell
    from ordered
    where country = '{HOME}'
)
select person_no, spell, arg_min(reason, from_date) as reason,
    greatest(min(from_date), any_value(birth_date) + interval 18 years)::date as from_date,
    max(coalesce(to_date, death_date, date '2100-01-01')) as to_date
from numbered join foreign_persons using (person_no)
group by person_no, spell
"""

# Cards one after the other: issue, validity, some days until the next is asked for. `k` is the card's place.
_CARDS = """
create or replace table cards as
with asked as (
    select card_spells.*, purpose, cast(months_valid as int) as months_valid, person_no * 10 + spell as i,
        from_date + 30 + cast(floor(u('card wait', person_no) * (cast(days_to_obtain as int) - 30)) as int)
            as first_day,
        cast(floor(180 * u('renewal gap', person_no) ** 3) as int) as gap
    from card_spells join residence_cards using (reason)
    where u('has a card', person_no) * 100 < cast(percent_with_card as int)
),
numbered as (
    select *, unnest(range(1 + (least(to_date, date '2024-12-31') - first_day) // (months_valid * 31 + gap))) as k
    from asked
    where first_day < to_date and first_day <= date '2024-12-31'
),
issued as (
    select *, first_day + cast(k as int) * (months_valid * 31 + gap) as issued_on,
        case when k = 0 or (gap > 30 and u('called a first issue', i * 100 + k) < 0.4) then 'P' else 'R' end
            as operation
    from numbered
)
select i, person_no, purpose, k, operation, issued_on, issued_on as valid_from,
    (issued_on + to_months(months_valid) - interval 1 day)::date as valid_to
from issued
union all
-- A lost card is replaced by a duplicate with a number of its own.
select i, person_no, purpose, k + 50, 'D', issued_on + 40, issued_on + 40,
    (issued_on + to_months(months_valid) - interval 1 day)::date
from issued
where u('card lost', i * 100 + k) < 0.01 and months_valid > 6
"""

_YEAR = """
select
    'CS' || lpad(cast((i * 100 + k) * 7368787 % 10000000000 as varchar), 10, '0'),
    operation,
    if(u('purpose not stated', i) < 0.01, 'ND', purpose),
    issued_on,
    valid_from,
    valid_to,
    case
        when u('card withdrawn', i * 100 + k) < 0.005 then 'A'
        when valid_to < date '{year}-12-31' then 'E'
        else 'V'
    end,
    lpad(cast(cards.person_no * 7368787 % 1000000000 as varchar), 9, '0'),
    name_fr,
    birth_date,
    sex,
    stays.governorate,
    stays.delegation
from cards
join foreign_persons using (person_no)
join places on places.country = citizenship
join foreign_stays as stays on stays.person_no = cards.person_no and stays.country = '{home}'
    and issued_on >= stays.from_date and issued_on < coalesce(stays.to_date, date '9999-12-31')
where issued_on <= date '{year}-12-31' and (issued_on >= date '{year}-01-01' or valid_to >= date '{year}-12-31')
order by 1
"""


def write(country: Country, out: Path) -> list[Sample]:
    """One workbook a year under `out/residence_cards/<year>/`: cards issued in the year or valid on its last day."""
    con = country.con
    find_foreigners(country)
    for name in ("places", "residence_cards"):
        make_recipe_table(country, name)
    con.execute(_SPELLS)
    con.execute(_CARDS)
    samples = []
    for year in YEARS:
        rows = con.execute(_YEAR.format(year=year, home=HOME)).fetchall()
        path = out / "residence_cards" / year / f"cartes_sejour_{year}_{MARK}.xlsx"
        write_workbook(path, "Titres", [*titles(country, "residence_cards"), *HEADER, *rows])
        samples.append(Sample("residence_cards", year, [path]))
    return samples
