-- Passages, not persons: one traveller crosses many times.
with passages as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        direction,
        {{ grouped_total('residence_status') }},
        {{ grouped_total('sex') }},
        {{ grouped_total('country_of_citizenship_code', 'citizenship') }},
        {{ grouped_total('post_code', 'border_post') }},
        count(*) as passages,
        max(max(crossing_date)) over (partition by source, time_period) < max(period_end_date) as is_partial
    from {{ ref('fct_border_crossings') }}
    group by {{ cells_within(
        'source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country, direction',
        ['', 'sex', 'residence_status', 'country_of_citizenship_code', 'post_code'],
    ) }}
)

{{ indicator_rows('passages', {
    'indicator': "'B14'", 'ref_area': 'ref_country', 'sex': 'sex', 'direction': 'direction',
    'residence_status': 'residence_status', 'citizenship': 'citizenship', 'border_post': 'border_post', 'obs_value': 'passages',
    'n_obs': 'passages', 'is_microdata': 'true', 'obs_status': "case when is_partial then 'P' else 'A' end",
}) }}
