{{ config(materialized='view') }}
-- Every figure before disclosure control, with its unit and the breaks of its series: B in the first period after one.
select
    figures.* exclude (obs_status),
    indicators.unit_measure,
    {{ with_break('figures.obs_status', 'breaks.break_id is not null') }} as obs_status,
    breaks.break_id
from {{ ref('ind_figures') }} as figures
join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
left join {{ ref('ind_breaks') }} as breaks
    on figures.series_key = breaks.series_key
    and figures.vintage = breaks.vintage
    and figures.period_start_date = breaks.period_start_date
