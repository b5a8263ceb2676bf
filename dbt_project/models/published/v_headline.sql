{{ config(materialized='view') }}
-- One figure for each question (indicator, group of people, area, period and window, cell), and beside it all others that
-- answer it. Preferred is what is real, then the source that the indicator's record names first, then the universe that it
-- defines, the last edition and the longest stay; a figure from several sources stands where the first of them does. What is withheld answers
-- nothing; what else does not, and who comes second, is found once, in indicator_alternative.
{%- set side = ['source', 'vintage', 'universe', 'duration_rule', 'data_kind', 'obs_value', 'obs_status'] %}
{%- set answer = {} %}
{%- for name in side %}{% do answer.update({name: 'figures.' ~ name}) %}{% endfor %}
with alternatives as (
    select
        other.indicator,
        other.ref_area,
        other.question_no,
        other.time_period,
        other.place,
        array_agg({{ record_of(answer) }}) over (
            partition by other.indicator, other.ref_area, other.question_no, other.time_period
            order by other.place rows between current row and unbounded following
        ) as others
    from {{ ref('indicator_alternative') }} as other
    join {{ ref('indicator_value') }} as figures
        on
            other.series_no = figures.series_no
            and other.time_period = figures.time_period
            and other.vintage = figures.vintage
            and other.indicator = figures.indicator -- as its series has them: what is asked for is then read alone
            and other.ref_area = figures.ref_area
    where other.place is not null
)

select
    figures.*,
    coalesce(universes.answers_for, figures.universe) as answers_for,
    coalesce(alternatives.others, {{ list_of([]) }}) as others
from {{ ref('v_indicator_values') }} as figures
left join {{ ref('indicator_universes') }} as universes on figures.indicator = universes.indicator and figures.universe = universes.universe
left join alternatives
    on
        figures.indicator = alternatives.indicator
        and figures.ref_area = alternatives.ref_area
        and figures.question_no = alternatives.question_no
        and figures.time_period = alternatives.time_period
        and alternatives.place = 2
where
    figures.obs_value is not null
    and not exists (
        select 1 from {{ ref('indicator_alternative') }} as other
        where other.series_no = figures.series_no and other.time_period = figures.time_period and other.vintage = figures.vintage
    )
