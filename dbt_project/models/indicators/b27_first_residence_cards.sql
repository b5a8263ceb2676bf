-- Persons whose first card in all delivered years is a first issue of the year; a late renewal that was called a first issue
-- is not among them. Before the first year delivered only cards still valid are known, so it is too high: low reliability.
with first_cards as (
    select *, min(period_start_date) over (partition by source) as first_day
    from {{ ref('fct_permits') }}
    where permit_kind = 'RESIDENCE_CARD'
),

holders as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_of_citizenship_code', 'citizenship') }},
        {{ grouped_total('reason_code', 'reason') }},
        {{ grouped_total('sex') }},
        count(distinct holder_id) as persons,
        count(*) as permits,
        bool_or(period_start_date = first_day) as is_first_year
    from first_cards
    where is_granted_in_period and is_first_of_holder and permit_event = 'ISSUE'
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'sex', 'country_of_citizenship_code', 'reason_code',
    ]) }}
)

{{ indicator_rows('holders', {
    'indicator': "'B27'", 'ref_area': 'ref_country', 'universe': "'card_holders'", 'sex': 'sex', 'citizenship': 'citizenship',
    'reason': 'reason', 'obs_value': 'persons', 'n_obs': 'permits', 'is_microdata': 'true',
    'obs_status': "case when is_first_year then 'U' else 'A' end",
}) }}
