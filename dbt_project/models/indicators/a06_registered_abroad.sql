-- Persons, counted by their pseudonym: who is registered twice counts once in a total, and once in each country. The
-- registrations behind a figure are n_obs. Countries and occupations therefore need not add up to the total.
with persons as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_code') }},
        {{ grouped_total('sex') }},
        {{ grouped_total('age_group') }},
        {{ grouped_total('occupation_group') }},
        {{ grouped_total('dual_citizenship') }},
        count(distinct person_id) as registered_persons,
        count(*) as registrations
    from {{ ref('fct_registrations') }}
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'sex', 'age_group', 'country_code', 'country_code, sex', 'country_code, age_group', 'occupation_group', 'dual_citizenship',
        'country_code, dual_citizenship',
    ]) }}
)

{{ indicator_rows('persons', {
    'indicator': "'A06'", 'ref_area': 'ref_country', 'counterpart_area': 'country_code', 'sex': 'sex', 'age': 'age_group',
    'occupation': 'occupation_group', 'dual_citizenship': 'dual_citizenship', 'obs_value': 'registered_persons',
    'n_obs': 'registrations', 'is_microdata': 'true',
}) }}
