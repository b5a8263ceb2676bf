{{ config(materialized='view') }}
-- Born in one country and living in another, a row a pair and year, editions side by side.
select
    ref_area as origin_code,
    ref_area_name_en as origin_name_en,
    ref_area_name_fr as origin_name_fr,
    ref_area_name_ar as origin_name_ar,
    counterpart_area as destination_code,
    counterpart_name_en as destination_name_en,
    counterpart_name_fr as destination_name_fr,
    counterpart_name_ar as destination_name_ar,
    time_period,
    source,
    vintage,
    data_kind,
    max(obs_value) filter (where sex = '_T') as both_sexes_persons,
    max(obs_value) filter (where sex = 'M') as men_persons,
    max(obs_value) filter (where sex = 'F') as women_persons
from {{ ref('v_indicator_values') }}
where indicator = 'A07' and counterpart_area != '_T'
group by all
