-- Every figure before disclosure control: the union of all indicator models of this folder. A series that goes on over a
-- day in series_breaks (of its source, or of it alone) has status B in its first period after, whatever model made it.
with figures as (
    {% for model in indicator_models() %}
    select * from {{ ref(model) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
),

named as (
    select
        {{ series_key('figures') }} as series_key,
        figures.*,
        indicators.unit_measure
    from figures
    join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
),

breaks as (
    select break_id, source, coalesce(indicator, '') as indicator, cast(from_date as date) as from_date from {{ ref('series_breaks') }}
),

broken as (
    select
        named.series_key,
        named.vintage,
        breaks.break_id,
        min(named.period_start_date) filter (where named.period_end_date >= breaks.from_date) as period_start_date
    from named
    join breaks
        on list_contains(string_split(named.source, '+'), breaks.source)
        and breaks.indicator in ('', named.indicator)
    group by named.series_key, named.vintage, breaks.break_id
    having min(named.period_end_date) < any_value(breaks.from_date)
),

flags as (
    select series_key, vintage, period_start_date, string_agg(break_id, ' ' order by break_id) as break_id
    from broken
    group by series_key, vintage, period_start_date
)

select
    named.* exclude (obs_status),
    {{ with_break('named.obs_status', 'flags.break_id is not null') }} as obs_status,
    flags.break_id
from named
left join flags
    on named.series_key = flags.series_key
    and named.vintage = flags.vintage
    and named.period_start_date = flags.period_start_date
