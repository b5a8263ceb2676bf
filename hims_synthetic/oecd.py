"""What OECD countries report of the people of the synthetic country, in the layout of OECD's migration database.

The same persons as in every other source, counted by their country of residence: natives of home on 1 January, citizens
of home on 1 January, and citizens of home who came in the year.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from hims_synthetic.sample import Sample
from hims_synthetic.streams import HOME, MARK, write_csv
from hims_synthetic.totals import make_recipe_table

if TYPE_CHECKING:
    from hims_synthetic.country import Country

EDITION, LAST_YEAR = "2024", 2023

_CELLS = f"""
with years as (
    select country, unnest(generate_series(cast(from_year as int), {LAST_YEAR})) as year from oecd_countries
),
there as (
    select years.country, years.year, persons.sex, persons.birth_country, persons.citizenship,
        from_date < make_date(year, 1, 1) as is_there,
        from_date between make_date(year, 1, 1) and make_date(year, 12, 31) as is_new
    from years
    join stays on stays.country = years.country
    join persons using (person_no)
    where from_date <= make_date(year, 12, 31)
        and coalesce(to_date, death_date, date '9999-12-31') > make_date(year, 1, 1)
),
counted as (
    select country, year, sex, 'B14' as measure, 'W' as citizenship, '{HOME}' as birth_place from there
    where is_there and birth_country = '{HOME}'
    union all
    select country, year, sex, 'B15', '{HOME}', 'W' from there where is_there and citizenship = '{HOME}'
    union all
    select country, year, sex, 'B11', '{HOME}', 'W' from there where is_new and citizenship = '{HOME}'
),
cells as (
    select country, year, measure, citizenship, birth_place,
        case when grouping(sex) = 1 then '_T' else sex end as sex, count(*) as persons
    from counted
    group by grouping sets (
        (country, year, measure, citizenship, birth_place), (country, year, measure, citizenship, birth_place, sex)
    )
)
select
    'OECD.ELS.IMD:DSD_MIG@DF_MIG(1.0)' as DATAFLOW, country as REF_AREA, citizenship as CITIZENSHIP, 'A' as FREQ,
    measure as MEASURE, sex as SEX, birth_place as BIRTH_PLACE, '_T' as EDUCATION_LEV, 'PS' as UNIT_MEASURE,
    year as TIME_PERIOD, persons as OBS_VALUE, if(year = {LAST_YEAR}, 'P', 'A') as OBS_STATUS,
    0 as UNIT_MULT, 0 as DECIMALS
from cells
order by REF_AREA, MEASURE, TIME_PERIOD, SEX
"""


def write(country: "Country", out: Path) -> list[Sample]:
    """Write one edition under `out/oecd_migration/<edition>/`; its last year is provisional."""
    make_recipe_table(country, "oecd_countries")
    path = out / "oecd_migration" / EDITION / f"oecd_els_imd_dsd_mig_df_mig_{MARK}.csv"
    return [Sample("oecd_migration", EDITION, [write_csv(country.con, _CELLS, path)])]
