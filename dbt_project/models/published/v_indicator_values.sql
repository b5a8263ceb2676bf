{{ config(materialized='view') }}
-- Every published figure with its labels, for reading: join nothing, filter and look.
select
    figures.indicator,
    {{ labels('indicators', 'indicator_name') }},
    figures.time_period,
    figures.ref_area,
    {{ labels(['areas', 'countries'], 'ref_area_name') }},
    figures.level,
    figures.counterpart_area,
    {{ labels('counterparts', 'counterpart_name') }},
    {{ all_but('indicator, time_period, ref_area, level, counterpart_area', 'figures') }}
from {{ ref('indicator_value') }} as figures
join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
left join {{ ref('areas') }} as areas on figures.ref_area = areas.area_code and areas.level != 'country'
left join {{ ref('countries') }} as countries on figures.ref_area = countries.country_code
left join {{ ref('countries') }} as counterparts on figures.counterpart_area = counterparts.country_code
