-- Those born in a country whom the mirror statistics of others count, and its emigrants as a household survey counts them,
-- in the survey's year; not those who left in the year alone. Whole households that left are in no survey, and not all countries report.
with emigrants as (
    select
        source, period, ref_country, data_kind, max(year(period_end_date)) as year, sum(weight_persons) as emigrants
    from conformed.fct_migrants
    where migrant_group = 'CURRENT_MIGRANT' and measure_type = 'stock'
    group by source, period, ref_country, data_kind
),

mirrored as (
    select
        source, period, data_kind, country_of_birth_code, reference_year,
        count(distinct reporting_country_code) as reporters, sum(observed_value) as born_there
    from conformed.fct_mirror_cells
    where measure = 'FOREIGN_BORN' and sex = '_T' and age = '_T'
    group by source, period, data_kind, country_of_birth_code, reference_year
)

select
    mirrored.source || '+' || emigrants.source as source,
    mirrored.period,
    mirrored.reporters,
    mirrored.born_there,
    emigrants.emigrants
from mirrored
join emigrants
    on mirrored.country_of_birth_code = emigrants.ref_country
    and mirrored.reference_year = emigrants.year
    and mirrored.data_kind = emigrants.data_kind
