-- Contracts approved, not persons: one worker may have several. Refused and pending ones count nowhere.
with contracts as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_of_citizenship_code', 'citizenship') }},
        {{ grouped_total('occupation_code', 'occupation') }},
        {{ grouped_total('branch_code', 'branch') }},
        {{ grouped_total('sector') }},
        {{ grouped_total('sex') }},
        count(*) as permits
    from {{ ref('fct_permits') }}
    where permit_kind = 'WORK_AUTHORISATION' and is_granted_in_period
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'sex', 'country_of_citizenship_code', 'occupation_code', 'branch_code', 'sector',
    ]) }}
)

{{ indicator_rows('contracts', {
    'indicator': "'B12'", 'ref_area': 'ref_country', 'sex': 'sex', 'citizenship': 'citizenship', 'occupation': 'occupation',
    'economic_activity': 'branch', 'sector': 'sector', 'obs_value': 'permits', 'n_obs': 'permits', 'is_microdata': 'true',
}) }}
