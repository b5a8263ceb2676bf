-- Immigrants of the year as their country of immigration counts them, returning citizens among them, by citizenship. Of a
-- country that publishes its total: citizenships alone would make one of those that happen to be told.
with cells as (
    select * from {{ ref('fct_mirror_cells') }}
    where
        measure = 'IMMIGRATION'
        and observed_value is not null
        and country_of_birth_code = '_W'
        and sex = '_T'
        and age = '_T'
),

totals as (
    select distinct dataset_code, vintage, reporting_country_code, reference_year from cells
    where country_of_citizenship_code = '_W'
),

told as (
    select
        cells.*,
        case cells.country_of_citizenship_code when '_W' then '_T' else cells.country_of_citizenship_code end as citizenship
    from cells
    join totals on
        cells.dataset_code = totals.dataset_code
        and cells.vintage = totals.vintage
        and cells.reporting_country_code = totals.reporting_country_code
        and cells.reference_year = totals.reference_year
)

{{ indicator_rows('told', {
    'indicator': "'B01'", 'freq': "'A'", 'time_period': 'reference_year',
    'period_start_date': 'reference_start_date', 'period_end_date': 'reference_end_date',
    'ref_area': 'reporting_country_code', 'citizenship': 'citizenship', 'obs_value': 'observed_value', 'obs_status': 'obs_status',
}) }}
