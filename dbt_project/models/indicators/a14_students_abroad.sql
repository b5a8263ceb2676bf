-- Those who are abroad, a stock; departures of a year are another indicator and are never added.
with students as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_of_study_code', 'country_code') }},
        {{ grouped_total('sex') }},
        count(distinct student_id) as persons,
        count(*) as records
    from {{ ref('fct_enrolments') }}
    where student_group = 'STUDENT_ABROAD' and measure_type = 'stock' and is_microdata
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'sex', 'country_of_study_code', 'country_of_study_code, sex',
    ]) }}
)

{{ indicator_rows('students', {
    'indicator': "'A14'", 'ref_area': 'ref_country', 'counterpart_area': 'country_code', 'sex': 'sex', 'obs_value': 'persons',
    'n_obs': 'records', 'is_microdata': 'true',
}) }}
