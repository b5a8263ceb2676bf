-- Passages, not persons: one traveller crosses many times.
with passages as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        case when grouping(direction) = 1 then '_T' else direction end as direction,
        case when grouping(residence_status) = 1 then '_T' else residence_status end as residence_status,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        count(*) as passages,
        max(crossing_date) < max(period_end_date) as is_partial
    from {{ ref('fct_border_crossings') }}
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country, direction),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country, direction, sex),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country, direction, residence_status)
    )
)

{{ indicator_rows('passages', {
    'indicator': "'B14'", 'ref_area': 'ref_country', 'sex': 'sex', 'direction': 'direction',
    'residence_status': 'residence_status', 'obs_value': 'passages', 'n_obs': 'passages', 'is_microdata': 'true',
    'obs_status': "case when is_partial then 'A;P' else 'A' end",
}) }}
