{{ config(materialized='view') }}
-- Residents of census and survey waves, a row an area and wave, both sexes. Areas of one level add up to the country.
select
    ref_area,
    {{ labelled('ref_area_name') }},
    level,
    time_period,
    source,
    data_kind,
    universe,
    max(obs_value) filter (where indicator = 'P01') as residents_persons,
    max(obs_value) filter (where indicator = 'A02') as foreign_born_persons,
    max(obs_value) filter (where indicator = 'A17') as foreign_born_percent,
    max(obs_value) filter (where indicator = 'A01') as foreign_citizens_persons,
    max(obs_value) filter (where indicator = 'A04') as foreign_citizens_percent,
    max(obs_value) filter (where indicator = 'B26') as abroad_5y_persons
from {{ ref('v_indicator_values') }}
where indicator in ('P01', 'A02', 'A17', 'A01', 'A04', 'B26') and cell = ''
group by all
