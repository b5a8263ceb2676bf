{{ config(materialized='view') }}
-- One figure for each question (indicator, group of people, area, period and window, cell), and beside it all others that
-- answer it. Preferred is what is real, then the source that the indicator's record names first, then the universe that it
-- defines, the last edition and the longest stay; a figure from several sources stands where the first of them does. What is withheld answers
-- nothing, and what is synthetic nothing where the indicator has real figures of the area, be it of other years. A former area answers
-- nothing where the areas that it became all do: what lies in it would count twice in the sum of its level.
-- The question's number says all that is asked but the period. What people filter by stands beside it, so that the choice is made for that alone.
{%- set side = ['source', 'vintage', 'universe', 'duration_rule', 'data_kind', 'obs_value', 'obs_status'] %}
{%- set answer = {} %}
{%- for name in side %}{% do answer.update({name: 'figures.' ~ name}) %}{% endfor %}
{%- set preferred %}
            partition by
                figures.indicator, figures.ref_area, figures.level, figures.time_period, figures.cell, figures.counterpart_area,
                figures.question_no
            order by
                {{ preference('figures') }},
                figures.boundary_version desc,
                figures.series_key
{%- endset %}
{%- set shared = [
    'indicator', 'source', 'universe', 'duration_rule', 'window_length', 'cell', 'counterpart_area', 'sex', 'age',
] + breakdown_columns() %}
with became as (
    select former_code, successor_code, count(*) over (partition by former_code) as parts
    from {{ ref('area_successors') }}
),

-- A series of a former area, and that of each area that it became.
pairs as {{ materialized() }} (
    select former.series_no, former.series_key, later.series_no as later_no, became.successor_code, became.parts
    from became
    join {{ ref('indicator_series') }} as former on became.former_code = former.ref_area
    join {{ ref('indicator_series') }} as later on became.successor_code = later.ref_area
        {% for name in shared %}and former.{{ name }} = later.{{ name }} {% endfor %}
),

-- Their figures, few of all: asked for by number, so that no join goes through the others.
paired as {{ materialized() }} (
    select series_no, time_period, vintage, obs_value
    from {{ ref('indicator_observation') }}
    where series_no in (select series_no from pairs union all select later_no from pairs)
),

superseded as (
    select pairs.series_key, figures.time_period, figures.vintage
    from pairs
    join paired as figures on pairs.series_no = figures.series_no
    join paired as laters
        on pairs.later_no = laters.series_no and figures.time_period = laters.time_period and figures.vintage = laters.vintage
    where laters.obs_value is not null
    group by all
    having count(distinct pairs.successor_code) = any_value(pairs.parts)
),

ranked as (
    select
        figures.*,
        coalesce(universes.answers_for, figures.universe) as answers_for,
        row_number() over ({{ preferred }}) as preference,
        array_agg({{ record_of(answer) }}) over ({{ preferred }} rows between 1 following and unbounded following) as others
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

select {{ all_but('preference, others') }}, coalesce(others, {{ list_of([]) }}) as others
from ranked
where preference = 1
