{{ config(materialized='view') }}
-- Born in one country and living in another, a row a pair and year, editions side by side.
select
    ref_area as origin_code,
    {{ labelled('ref_area_name', 'origin_name') }},
    counterpart_area as destination_code,
    {{ labelled('counterpart_name', 'destination_name') }},
    level,
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
