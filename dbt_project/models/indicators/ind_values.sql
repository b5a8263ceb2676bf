{{ config(materialized=kept_as()) }}
-- Every figure before disclosure control, with its unit and the breaks of its series: B in the first period after one. What no
-- estimate made says whether a sample stands behind it: then an error would be due, and is not worked out.
with sampled as (
    select {{ set_of('source') }} as sources from {{ ref('dim_batch') }} where design_kind in ('sample', 'census_sample')
)

select
    {{ all_but('interval_kind, obs_status', 'figures') }},
    coalesce(figures.interval_kind, case
        when {{ have_common(parts_of('figures.source', '+'), '(select sources from sampled)') }} then 'NOT_WORKED_OUT'
        else 'NO_SAMPLE'
    end) as interval_kind,
    indicators.unit_measure,
    {{ with_break('figures.obs_status', 'breaks.break_id is not null') }} as obs_status,
    breaks.break_id
from {{ ref('ind_figures') }} as figures
join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
left join {{ ref('ind_breaks') }} as breaks
    on figures.series_key = breaks.series_key
    and figures.vintage = breaks.vintage
    and figures.period_start_date = breaks.period_start_date
