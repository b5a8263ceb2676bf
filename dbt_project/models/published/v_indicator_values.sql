{{ config(materialized='view') }}
-- Every published figure with its labels, for reading: join nothing, filter and look.
select
    figures.indicator,
    indicators.name_en as indicator_name_en,
    indicators.name_fr as indicator_name_fr,
    indicators.name_ar as indicator_name_ar,
    figures.time_period,
    figures.ref_area,
    coalesce(areas.name_en, countries.name_en) as ref_area_name_en,
    coalesce(areas.name_fr, countries.name_fr) as ref_area_name_fr,
    coalesce(areas.name_ar, countries.name_ar) as ref_area_name_ar,
    figures.counterpart_area,
    counterparts.name_en as counterpart_name_en,
    counterparts.name_fr as counterpart_name_fr,
    counterparts.name_ar as counterpart_name_ar,
    figures.* exclude (indicator, time_period, ref_area, counterpart_area)
from {{ ref('indicator_value') }} as figures
join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
left join (select area_code, name_en, name_fr, name_ar from {{ ref('areas') }} where level != 'country') as areas
    on figures.ref_area = areas.area_code
left join {{ ref('countries') }} as countries on figures.ref_area = countries.country_code
left join {{ ref('countries') }} as counterparts on figures.counterpart_area = counterparts.country_code
