{{ config(materialized='view') }}
-- Refugees and asylum-seekers at the end of the year in each country of asylum, all origins.
select
    ref_area,
    {{ labelled('ref_area_name') }},
    level,
    time_period,
    source,
    vintage,
    max(obs_value) filter (where population_group = 'REFUGEES') as refugees_persons,
    max(obs_value) filter (where population_group = 'ASYLUM_SEEKERS') as asylum_seekers_persons
from {{ ref('v_indicator_values') }}
where indicator = 'A11' and counterpart_area = '_T'
group by all
