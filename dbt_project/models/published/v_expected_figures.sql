{{ config(materialized='view') }}
-- What the catalogue leads one to expect, and what came of it: every indicator by every cell that may leave and every source
-- that its record names. Where there is no figure to read, `absence` says why, a code of a closed list.
with parts as (
    select
        series.indicator,
        series.cell,
        {{ each_of(parts_of('series.source', '+')) }} as source,
        figures.time_period,
        figures.obs_value is null as is_withheld
    from {{ ref('indicator_observation') }} as figures
    join {{ ref('indicator_series') }} as series on figures.series_no = series.series_no
),

figures as (
    select
        indicator,
        cell,
        source,
        count(*) as figures,
        count(*) filter (where is_withheld) as figures_withheld,
        min(time_period) as first_time_period,
        max(time_period) as last_time_period
    from parts
    group by indicator, cell, source
),

given as (
    select distinct indicator, source from figures
),

expected as (
    select indicators.*, coalesce(cells.cell, '') as cell, {{ each_of(parts_of('indicators.sources', ' ')) }} as source
    from {{ ref('indicators') }} as indicators
    left join {{ ref('indicator_cells') }} as cells on indicators.code = cells.indicator
)

select
    expected.code as indicator,
    {{ labels('expected', 'indicator_name') }},
    expected.cell,
    expected.source,
    coalesce(figures.figures, 0) as figures,
    coalesce(figures.figures_withheld, 0) as figures_withheld,
    figures.first_time_period,
    figures.last_time_period,
    why.code as absence,
    {{ labels('why', 'absence_name') }},
    case
        when why.code = 'WITHHELD' then 'Q'
        when why.code = 'NO_SOURCE' then 'L'
        when why.code = 'IN_COLUMN' then 'K'
        when why.code is not null then 'O'
    end as obs_status
from expected
left join figures on expected.code = figures.indicator and expected.cell = figures.cell and expected.source = figures.source
left join {{ ref('definitions') }} as why on
    why.kind = 'absence'
    and why.code = case
        when figures.figures > figures.figures_withheld then null
        when figures.figures > 0 then 'WITHHELD'
        when expected.absence != '' then expected.absence
        when expected.source not in (select source from {{ ref('sources') }}) then 'NO_SOURCE'
        when expected.source not in (select source from given) then 'NOT_DELIVERED'
        when (expected.code, expected.source) in (select indicator, source from given) then 'NOT_BROKEN_DOWN'
        else 'NOT_ASKED'
    end
