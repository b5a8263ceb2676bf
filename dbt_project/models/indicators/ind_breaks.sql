-- A series that goes on over a day in series_breaks (of its source, or of it alone) has a break in its first period after,
-- whatever model made it.
with breaks as (
    select break_id, source, coalesce(indicator, '') as indicator, cast(from_date as date) as from_date from {{ ref('series_breaks') }}
),

-- A figure may have several sources; these few names are matched, and then all figures by theirs.
concerned as (
    select sources.source, breaks.break_id, breaks.indicator, breaks.from_date
    from (select distinct source from {{ ref('ind_figures') }}) as sources
    join breaks on array_contains({{ parts_of('sources.source', '+') }}, breaks.source)
),

broken as (
    select
        figures.series_key,
        figures.vintage,
        concerned.break_id,
        min(figures.period_start_date) filter (where figures.period_end_date >= concerned.from_date) as period_start_date
    from {{ ref('ind_figures') }} as figures
    join concerned on figures.source = concerned.source and concerned.indicator in ('', figures.indicator)
    group by figures.series_key, figures.vintage, concerned.break_id
    having min(figures.period_end_date) < any_value(concerned.from_date)
)

select series_key, vintage, period_start_date, {{ joined('break_id', ' ', 'break_id') }} as break_id
from broken
where period_start_date is not null
group by series_key, vintage, period_start_date
