-- Who stands in both of two registers, of all in the second: by capture and recapture, the coverage of the first. Persons
-- without a number are in neither count.
with persons as (
    select distinct
        data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        link_key, register_source, study_id
    from {{ ref('fct_person_links') }}
),

registers as (
    select vintage, universe, duration_rule, link_key, register_source, count(*) as persons from persons group by all
),

shared as (
    select
        here.data_kind, here.vintage, here.duration_rule, here.universe, here.freq, here.time_period,
        here.period_start_date, here.period_end_date, here.ref_country, here.link_key,
        here.register_source,
        there.register_source as compared_register,
        count(*) as in_both
    from persons as here
    join persons as there
        on
            here.study_id = there.study_id
            and here.link_key = there.link_key
            and here.vintage = there.vintage
            and here.universe = there.universe
            and here.duration_rule = there.duration_rule
            and here.register_source != there.register_source
    group by all
),

coverage as (
    select
        shared.*,
        shared.register_source as source,
        registers.persons as in_compared,
        shared.in_both * 1.0 / registers.persons as share
    from shared
    join registers
        on
            shared.vintage = registers.vintage
            and shared.universe = registers.universe
            and shared.duration_rule = registers.duration_rule
            and shared.link_key = registers.link_key
            and shared.compared_register = registers.register_source
)

{{ indicator_rows('coverage', {
    'indicator': "'E05'", 'ref_area': 'ref_country', 'compared_register': 'compared_register', 'obs_value': 'share',
    'numerator': 'in_both', 'denominator': 'in_compared', 'n_numerator': 'in_both',
    'n_denominator': 'in_compared', 'n_obs': 'in_both', 'is_microdata': 'true',
}) }}
