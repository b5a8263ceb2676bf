-- What the change of a population leaves once registered births and deaths are taken off. Deaths that were not registered
-- look like people who left, so incomplete registration makes it another definition, and unreliable.
with balances as (
    select
        *,
        case when area_code = '_T' then ref_country else area_code end as area,
        cast(year(second_census_date) as varchar) as census_year
    from {{ ref('int_population__balance') }}
)

{{ indicator_rows('balances', {
    'indicator': "'B05'", 'freq': "'A'", 'time_period': 'census_year', 'period_start_date': 'first_census_date',
    'period_end_date': 'second_census_date', 'ref_area': 'area', 'boundary_version': 'boundary_version',
    'obs_value': 'residual_persons', 'n_obs': 'records', 'is_microdata': 'true',
    'obs_status': "case when coverage_percent < 100 then 'D;U' else 'A' end",
}) }}
