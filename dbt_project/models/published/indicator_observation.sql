-- The one door from figures to what may leave: of series that may, and no figure from microdata that rests on fewer records
-- than the minimum count. What is withheld stays as a row with its flags: never a zero, never a gap. Rows come as their
-- models wrote them, so nothing is sorted here.
with figures as (
    select *, {{ series_no('series_key') }} as series_no from {{ ref('ind_values') }}
),

judged as (
    select *, is_microdata and coalesce(n_obs, 0) < {{ minimum_count() }} as is_withheld
    from figures
    where series_no in (select series_no from {{ ref('indicator_series') }})
)

select
    series_no,
    time_period,
    period_start_date,
    period_end_date,
    vintage,
    {%- for name in ['obs_value', 'numerator', 'denominator', 'n_obs', 'standard_error', 'variance_basis'] %}
    case when not is_withheld then {{ name }} end as {{ name }},
    {%- endfor %}
    case when is_withheld then 'Q' else obs_status end as obs_status,
    break_id,
    case when is_withheld then 'C' else 'F' end as conf_status
from judged
