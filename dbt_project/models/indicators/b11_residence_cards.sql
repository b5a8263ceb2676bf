-- Cards, not persons: who renews twice in a year counts twice. Duplicates of lost cards and withdrawn cards count nowhere.
with cards as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date,
        case when grouping(area_code) = 1 then ref_country else area_code end as ref_area,
        {{ grouped_total('permit_event') }},
        {{ grouped_total('country_of_citizenship_code', 'citizenship') }},
        {{ grouped_total('reason_code', 'reason') }},
        {{ grouped_total('permit_validity') }},
        {{ grouped_total('sex') }},
        count(*) as permits
    from {{ ref('fct_permits') }}
    where permit_kind = 'RESIDENCE_CARD' and permit_event in ('ISSUE', 'RENEWAL') and is_granted_in_period
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'permit_event', 'sex', 'country_of_citizenship_code', 'country_of_citizenship_code, permit_event', 'reason_code',
        'permit_event, reason_code', 'permit_validity', 'area_code', 'area_code, permit_event',
    ]) }}
),

placed as (
    select * from cards where ref_area != '_U'
)

{{ indicator_rows('placed', {
    'indicator': "'B11'", 'ref_area': 'ref_area', 'boundary_version': boundary_version('placed'), 'sex': 'sex',
    'citizenship': 'citizenship', 'reason': 'reason', 'permit_validity': 'permit_validity', 'permit_event': 'permit_event',
    'obs_value': 'permits', 'n_obs': 'permits', 'is_microdata': 'true',
}) }}
