-- Persons: who is enrolled in two institutions counts once; the enrolments behind a figure are n_obs.
with students as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country,
        {{ grouped_total('country_of_citizenship_code', 'citizenship') }},
        {{ grouped_total('region_of_citizenship_code', 'citizenship_region') }},
        {{ grouped_total('sex') }},
        {{ grouped_total('sector') }},
        {{ grouped_total('study_level') }},
        {{ grouped_total('study_field') }},
        count(distinct student_id) as persons,
        count(*) as enrolments
    from {{ ref('fct_enrolments') }}
    where student_group = 'FOREIGN_STUDENT' and measure_type = 'stock' and is_microdata
    group by {{ cells_within('source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, ref_country', [
        '', 'sex', 'sector', 'study_level', 'study_field', 'country_of_citizenship_code', 'region_of_citizenship_code',
        'region_of_citizenship_code, sector',
    ]) }}
)

{{ indicator_rows('students', {
    'indicator': "'A13'", 'ref_area': 'ref_country', 'sex': 'sex', 'citizenship': 'citizenship',
    'citizenship_region': 'citizenship_region', 'sector': 'sector', 'study_level': 'study_level', 'study_field': 'study_field',
    'obs_value': 'persons', 'n_obs': 'enrolments', 'is_microdata': 'true',
}) }}
