-- Counts as delivered: departures of an academic year, by country and level.
with departures as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_of_study_code', 'country_code') }},
        {{ grouped_total('study_level') }},
        sum(students_persons) as persons
    from {{ ref('fct_enrolments') }}
    where student_group = 'STUDENT_ABROAD' and measure_type = 'flow' and not is_microdata
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'study_level', 'country_of_study_code',
    ]) }}
)

{{ indicator_rows('departures', {
    'indicator': "'B28'", 'ref_area': 'ref_country', 'counterpart_area': 'country_code', 'study_level': 'study_level',
    'obs_value': 'persons',
}) }}
