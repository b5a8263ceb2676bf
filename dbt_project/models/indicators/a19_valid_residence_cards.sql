-- Persons with a card that is valid on the last day of the period; fewer than the foreigners who live in the country.
with holders as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date,
        case when grouping(area_code) = 1 then ref_country else area_code end as ref_area,
        {{ grouped_total('country_of_citizenship_code', 'citizenship') }},
        {{ grouped_total('reason_code', 'reason') }},
        {{ grouped_total('sex') }},
        count(distinct holder_id) as persons,
        count(*) as permits
    from {{ ref('fct_permits') }}
    where
        permit_kind = 'RESIDENCE_CARD' and permit_result = 'GRANTED'
        and period_end_date between valid_from_date and valid_to_date
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_end_date, ref_country', [
        '', 'sex', 'country_of_citizenship_code', 'reason_code', 'area_code',
    ]) }}
),

placed as (
    select * from holders where ref_area != '_U'
)

{{ indicator_rows('placed', {
    'indicator': "'A19'", 'ref_area': 'ref_area', 'boundary_version': boundary_version('placed'),
    'universe': "'card_holders'", 'period_start_date': 'period_end_date', 'sex': 'sex',
    'citizenship': 'citizenship', 'reason': 'reason', 'obs_value': 'persons', 'n_obs': 'permits', 'is_microdata': 'true',
}) }}
