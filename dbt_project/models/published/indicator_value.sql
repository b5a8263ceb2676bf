-- The one door from indicators to what may leave: indicators whose record says so, in the cells that it allows, and no
-- figure from microdata that rests on fewer records than the minimum count. What is withheld stays as a row with its
-- flags: never a zero, never a gap.
with figures as (
    select *, {{ cell_of('figures') }} as cell from {{ ref('ind_values') }} as figures
),

allowed as (
    select figures.*
    from figures
    join {{ ref('indicator_cells') }} as cells on figures.indicator = cells.indicator and figures.cell = coalesce(cells.cell, '')
),

judged as (
    select *, is_microdata and coalesce(n_obs, 0) < {{ minimum_count() }} as is_withheld from allowed
)

select
    series_key,
    indicator,
    freq,
    time_period,
    period_start_date,
    period_end_date,
    ref_area,
    counterpart_area,
    sex,
    age,
    duration_rule,
    universe,
    boundary_version,
    source,
    data_kind,
    vintage,
    {%- for name in breakdown_columns() %}
    {{ name }},
    {%- endfor %}
    unit_measure,
    {%- for name in ['obs_value', 'numerator', 'denominator', 'n_obs', 'standard_error'] %}
    case when not is_withheld then {{ name }} end as {{ name }},
    {%- endfor %}
    case when not is_withheld and obs_value > 0 then round(100 * standard_error / obs_value, 4) end as cv_percent,
    case when not is_withheld then {{ rounded('obs_value - 1.96 * standard_error', 'standard_error') }} end as ci_lower,
    case when not is_withheld then {{ rounded('obs_value + 1.96 * standard_error', 'standard_error') }} end as ci_upper,
    case when not is_withheld then variance_basis end as variance_basis,
    case when is_withheld then 'Q' else obs_status end as obs_status,
    break_id,
    case when is_withheld then 'C' else 'F' end as conf_status
from judged
order by series_key, time_period, vintage
