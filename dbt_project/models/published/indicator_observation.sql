-- The one door from figures to what may leave: of series that may, and of figures from microdata those that disclosure
-- control shows (ind_disclosed); what it did not judge, or what rests on too few records, never. What is withheld stays as a row with its flags: never a zero, never a gap. Rows come as their
-- models wrote them, so nothing is sorted here.
with figures as (
    select *, {{ series_no('series_key') }} as series_no from {{ ref('ind_values') }}
),

judged as (
    select
        figures.*,
        not coalesce(decisions.is_shown, not figures.is_microdata)
        or (figures.is_microdata and (figures.n_obs is null or figures.n_obs between 1 and {{ minimum_count() }} - 1)) as is_withheld
    from figures
    left join {{ ref('ind_disclosed') }} as decisions
        on
            figures.series_key = decisions.series_key
            and figures.time_period = decisions.time_period
            and figures.vintage = decisions.vintage
            and decisions.is_tonight
    where figures.series_no in (select series_no from {{ ref('indicator_series') }})
)

select
    series_no,
    time_period,
    period_start_date,
    period_end_date,
    vintage,
    {#- An interval, and why there is none, tell of records too. #}
    {%- for name in [
        'obs_value', 'numerator', 'denominator', 'n_obs', 'standard_error', 'ci_lower', 'ci_upper', 'degrees_of_freedom', 'interval_kind', 'variance_basis',
    ] %}
    case when not is_withheld then {{ name }} end as {{ name }},
    {%- endfor %}
    case when is_withheld then 'Q' else {{ one_status('obs_status') }} end as obs_status,
    {%- for name, code in status_columns().items() %}
    not is_withheld and contains(obs_status, '{{ code }}') as {{ name }},
    {%- endfor %}
    break_id,
    case when is_withheld then 'C' else 'F' end as conf_status
from judged
