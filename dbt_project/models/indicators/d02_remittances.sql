with series as (
    select * from {{ ref('fct_country_series') }} where series = 'REMITTANCES_RECEIVED'
)

{{ indicator_rows('series', dict(yearly('D02', 'country_code', 'observed_value'))) }}
