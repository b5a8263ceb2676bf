-- Persons, counted by their pseudonym: who is registered twice counts once in a total, and once in each country. The
-- registrations behind a figure are n_obs. Countries and occupations therefore need not add up to the total. Few stand more
-- than once: only they are told apart in each cell, so that memory need not hold everybody in each of them.
with repeated as (
    select source, vintage, universe, time_period, person_id
    from {{ ref('fct_registrations') }}
    group by source, vintage, universe, time_period, person_id
    having count(*) > 1
),

registered as (
    select registrations.*, repeated.person_id is not null as is_repeated
    from {{ ref('fct_registrations') }} as registrations
    left join repeated
        on
            registrations.source = repeated.source and registrations.vintage = repeated.vintage
            and registrations.universe = repeated.universe and registrations.time_period = repeated.time_period
            and registrations.person_id = repeated.person_id
),

persons as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_code') }},
        {{ grouped_total('sex') }},
        {{ grouped_total('age_group') }},
        {{ grouped_total('occupation_group') }},
        {{ grouped_total('dual_citizenship') }},
        count(person_id) filter (where not is_repeated)
        + count(distinct person_id) filter (where is_repeated) as registered_persons,
        count(*) as registrations
    from registered
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
