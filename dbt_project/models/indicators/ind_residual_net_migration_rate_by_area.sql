-- Residual net migration (B05) per 1,000 person-years between the exact census days.
with balances as (
    select
        *,
        case when area_code = '_T' then ref_country else area_code end as area,
        cast(year(second_census_date) as varchar) as census_year
    from {{ ref('int_population__balance') }}
)

{{ indicator_rows('balances', {
    'indicator': "'B06'", 'freq': "'A'", 'time_period': 'census_year', 'period_start_date': 'first_census_date',
    'period_end_date': 'second_census_date', 'ref_area': 'area', 'boundary_version': 'boundary_version',
    'obs_value': '1000 * cast(residual_persons as double) / person_years', 'numerator': 'residual_persons',
    'denominator': 'person_years', 'n_obs': 'records', 'is_microdata': 'true',
    'obs_status': "case when coverage_percent < 100 then 'D;U' else 'A' end",
}) }}
