{{ config(materialized='view') }}
-- One figure for each question (indicator, group of people, area, period and window, cell), and beside it all others that
-- answer it. Preferred is what is real, then the source that the indicator's record names first, then the universe that it
-- defines, the last edition and the longest stay; a figure from several sources stands where the first of them does. What is withheld answers
-- nothing, and what is synthetic nothing where the indicator has real figures of the area, be it of other years. Every column
-- of the question is one to filter by: the choice is then made for what is asked alone. A former area answers nothing where the
-- areas that it became all do: what lies in it would count twice in the sum of its level.
{%- set question = ['indicator', 'ref_area', 'level', 'time_period', 'window_length', 'cell', 'counterpart_area', 'sex', 'age'] + breakdown_columns() %}
{%- set side = ['source', 'vintage', 'universe', 'duration_rule', 'data_kind', 'obs_value', 'obs_status'] %}
{%- set answer = {} %}
{%- for name in side %}{% do answer.update({name: 'figures.' ~ name}) %}{% endfor %}
{%- set preferred %}
            partition by coalesce(universes.answers_for, figures.universe), {% for name in question %}figures.{{ name }}{{ ', ' if not loop.last }}{% endfor %}
            order by
                {{ preference('figures') }},
                figures.boundary_version desc,
                figures.series_key
{%- endset %}
{%- set shared = ['source', 'universe', 'duration_rule'] + (question | reject('in', ['ref_area', 'level', 'time_period']) | list) %}
with became as (
    select former_code, successor_code, count(*) over (partition by former_code) as parts
    from {{ ref('area_successors') }}
),

superseded as (
    select former.series_key, figures.time_period, figures.vintage
    from became
    join {{ ref('indicator_series') }} as former on became.former_code = former.ref_area
    join {{ ref('indicator_series') }} as later on became.successor_code = later.ref_area
        {% for name in shared %}and former.{{ name }} = later.{{ name }} {% endfor %}
    join {{ ref('indicator_observation') }} as figures on former.series_no = figures.series_no
    join {{ ref('indicator_observation') }} as laters
        on later.series_no = laters.series_no and figures.time_period = laters.time_period and figures.vintage = laters.vintage
    where laters.obs_value is not null
    group by all
    having count(distinct became.successor_code) = any_value(became.parts)
),

ranked as (
    select
        figures.*,
        coalesce(universes.answers_for, figures.universe) as answers_for,
        row_number() over ({{ preferred }}) as preference,
        array_agg({{ record_of(answer) }}) over ({{ preferred }} rows between unbounded preceding and unbounded following) as answers
    from {{ ref('v_indicator_values') }} as figures
    join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
    left join {{ ref('indicator_universes') }} as universes on figures.indicator = universes.indicator and figures.universe = universes.universe
    where
        figures.obs_value is not null
        and (figures.series_key, figures.time_period, figures.vintage) not in (select series_key, time_period, vintage from superseded)
        and (
            figures.data_kind != 'synthetic'
            or (figures.indicator, figures.ref_area) not in (select indicator, ref_area from {{ ref('indicator_series') }} where data_kind != 'synthetic')
        )
)

select {{ all_but('preference, answers') }}, {{ rest_of('answers') }} as others
from ranked
where preference = 1
