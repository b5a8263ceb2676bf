-- Entries less exits. Never to be read as net migration: posts do not balance, and a person crosses many times.
with passages as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_of_citizenship_code', 'citizenship') }},
        count(*) filter (where direction = 'ENTRY') as entries,
        count(*) filter (where direction = 'EXIT') as exits,
        max(max(crossing_date)) over (partition by source, time_period) < max(period_end_date) as is_partial
    from {{ ref('fct_border_crossings') }}
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'country_of_citizenship_code',
    ]) }}
)

{{ indicator_rows('passages', {
    'indicator': "'B15'", 'ref_area': 'ref_country', 'citizenship': 'citizenship', 'obs_value': 'entries - exits',
    'n_obs': 'entries + exits', 'is_microdata': 'true', 'obs_status': "case when is_partial then 'P' else 'A' end",
}) }}
