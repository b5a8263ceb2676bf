{# All figures in two parts: `judged`, those that disclosure control may have to decide on, and `taken_over`, those of
   indicators whose sources deliver statistics, not records. Each part is a table of its own, so that a month of one register
   rewrites the few figures made from records and not the millions taken over from others.
   Here: what all figures go through. Not here: how one indicator is made (`indicators.sql`, `estimates.sql`). #}

{% macro models_of(part) -%}
    {%- set others = taken_over_models() -%}
    {{ return(indicator_models() | select('in', others) | list if part == 'taken_over' else indicator_models() | reject('in', others) | list) }}
{%- endmacro %}

{# The first figure of a series after each of its breaks: of one that goes on over a day in series_breaks (of its source, or of
   it alone) the first period after, whatever model made it. #}
{% macro broken_series(part) -%}
with breaks as (
    select break_id, source, coalesce(indicator, '') as indicator, cast(from_date as date) as from_date from {{ ref('series_breaks') }}
),

-- A figure may have several sources; these few names are matched, and then all figures by theirs.
concerned as (
    select sources.source, breaks.break_id, breaks.indicator, breaks.from_date
    from (select distinct source from {{ ref('ind_figures__' ~ part) }}) as sources
    join breaks on array_contains({{ parts_of('sources.source', '+') }}, breaks.source)
),

broken as (
    select
        figures.series_key,
        figures.vintage,
        concerned.break_id,
        min(figures.period_start_date) filter (where figures.period_end_date >= concerned.from_date) as period_start_date
    from {{ ref('ind_figures__' ~ part) }} as figures
    join concerned on figures.source = concerned.source and concerned.indicator in ('', figures.indicator)
    group by figures.series_key, figures.vintage, concerned.break_id
    having min(figures.period_end_date) < any_value(concerned.from_date)
)

select series_key, vintage, period_start_date, {{ joined('break_id', ' ', 'break_id') }} as break_id
from broken
where period_start_date is not null
group by series_key, vintage, period_start_date
{%- endmacro %}

{# Every figure of a part before disclosure control, with its unit and the breaks of its series: B in the first period after
   one. What no estimate made says whether a sample stands behind it: then an error would be due, and is not worked out.
   sampled: relation with the list of `sources` that are samples; none where there can be no sample. #}
{% macro whole_figures(part, sampled=none) -%}
select
    {{ all_but('interval_kind, obs_status', 'figures') }},
    coalesce(
        figures.interval_kind,
        {%- if sampled %}
        case when {{ have_common(parts_of('figures.source', '+'), '(select sources from ' ~ sampled ~ ')') }} then 'NOT_WORKED_OUT' end,
        {%- endif %}
        'NO_SAMPLE'
    ) as interval_kind,
    indicators.unit_measure,
    {{ with_break('figures.obs_status', 'breaks.break_id is not null') }} as obs_status,
    breaks.break_id
from {{ ref('ind_figures__' ~ part) }} as figures
join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
left join {{ ref('ind_breaks__' ~ part) }} as breaks
    on figures.series_key = breaks.series_key
    and figures.vintage = breaks.vintage
    and figures.period_start_date = breaks.period_start_date
{%- endmacro %}

{# Series of a part that may leave: of indicators whose record says so, in the cells that it allows. #}
{% macro open_series(part) -%}
with series as (
    {{ series_of(models_of(part)) }}
),

named as (
    select series.*, indicators.unit_measure, {{ cell_of('series') }} as cell
    from series
    join {{ ref('indicators') }} as indicators on series.indicator = indicators.code
)

select
    {{ series_no('named.series_key') }} as series_no,
    {{ question_no('named', 'coalesce(universes.answers_for, named.universe)') }} as question_no,
    named.*,
    coalesce(areas.level, 'country') as level
from named
left join {{ ref('areas') }} as areas on named.ref_area = areas.area_code
left join {{ ref('indicator_universes') }} as universes on named.indicator = universes.indicator and named.universe = universes.universe
join {{ ref('indicator_cells') }} as cells on named.indicator = cells.indicator and named.cell = coalesce(cells.cell, '')
{%- endmacro %}

{# The one door from figures to what may leave: of series that may, and of figures from microdata those that disclosure
   control shows (ind_disclosed); what it did not judge, or what rests on too few records, never. What is withheld stays as a
   row with its flags: never a zero, never a gap. Rows come as their models wrote them, so nothing is sorted here. #}
{% macro open_observations(part) -%}
with figures as (
    select *, {{ series_no('series_key') }} as series_no from {{ ref('ind_values__' ~ part) }}
),

judged as (
    select
        figures.*,
        {%- if part == 'judged' %}
        not coalesce(decisions.is_shown, not figures.is_microdata)
        or (figures.is_microdata and (figures.n_obs is null or figures.n_obs between 1 and {{ minimum_count() }} - 1)) as is_withheld
        {%- else %}
        figures.is_microdata as is_withheld
        {%- endif %}
    from figures
    {%- if part == 'judged' %}
    left join {{ ref('ind_disclosed') }} as decisions
        on
            figures.series_key = decisions.series_key
            and figures.time_period = decisions.time_period
            and figures.vintage = decisions.vintage
            and decisions.is_tonight
    {%- endif %}
    where figures.series_no in (select series_no from {{ ref('ind_series__' ~ part) }})
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
{%- endmacro %}

{# Both parts of a relation, one below the other. #}
{% macro both_parts(relation) -%}
select * from {{ ref(relation ~ '__judged') }}
union all
select * from {{ ref(relation ~ '__taken_over') }}
{%- endmacro %}
