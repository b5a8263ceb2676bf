-- Persons in post on the last day of the period: a state, which no sum of signed contracts gives, since posts also end.
with in_post as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country,
        case when grouping(country_code) = 1 then '_T' else country_code end as country_code,
        case when grouping(placement_sector) = 1 then '_T' else placement_sector end as placement_sector,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        count(distinct coalesce(person_id, contract_id, batch_id || ':' || record_no)) as persons
    from {{ ref('fct_placements') }}
    where record_type = 'IN_POST'
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, sex),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, country_code),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country, placement_sector)
    )
)

{{ indicator_rows('in_post', {
    'indicator': "'A15'", 'ref_area': 'ref_country', 'counterpart_area': 'country_code', 'sex': 'sex',
    'sector': 'placement_sector', 'period_start_date': 'period_end_date', 'obs_value': 'persons', 'n_obs': 'persons',
    'is_microdata': 'true',
}) }}
