{{ config(materialized='view') }}
-- Every figure that may leave, with the dimensions of its series beside it: one long table to query.
select
    series.series_key,
    series.indicator,
    series.freq,
    figures.time_period,
    figures.period_start_date,
    figures.period_end_date,
    series.ref_area,
    series.level,
    series.counterpart_area,
    series.sex,
    series.age,
    series.cell,
    series.duration_rule,
    series.universe,
    series.boundary_version,
    series.window_length,
    series.source,
    series.data_kind,
    figures.vintage,
    {%- for name in breakdown_columns() %}
    series.{{ name }},
    {%- endfor %}
    series.series_no,
    series.question_no,
    series.unit_measure,
    figures.obs_value,
    figures.numerator,
    figures.denominator,
    figures.n_obs,
    figures.standard_error,
    case when figures.obs_value > 0 then round(100 * figures.standard_error / figures.obs_value, 4) end as cv_percent,
    figures.ci_lower,
    figures.ci_upper,
    figures.degrees_of_freedom,
    figures.interval_kind,
    figures.variance_basis,
    figures.obs_status,
    {%- for name in status_columns() %}
    figures.{{ name }},
    {%- endfor %}
    figures.break_id,
    figures.conf_status
from {{ ref('indicator_observation') }} as figures
join {{ ref('indicator_series') }} as series on figures.series_no = series.series_no
