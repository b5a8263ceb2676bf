-- Every figure before disclosure control. The list is held against the folder by a test.
{%- set models = [
    'ind_population_by_area_sex', 'ind_foreign_born_by_area_sex', 'ind_foreign_born_share_by_area_sex',
    'ind_foreign_citizens_by_area_sex', 'ind_foreign_citizen_share_by_area_sex', 'ind_abroad_5y_by_area_sex',
    'ind_births_by_country', 'ind_deaths_by_country', 'ind_population_change_by_country',
    'ind_net_migration_by_country', 'ind_net_migration_rate_by_country',
    'ind_migrants_abroad_by_origin_destination', 'ind_immigrants_by_destination_origin',
    'ind_displaced_by_asylum_origin', 'ind_displaced_by_origin_asylum', 'ind_refugees_per_100000_by_origin',
    'ind_dead_missing_by_country', 'ind_remittances_by_country', 'ind_remittances_gdp_share_by_country',
    'ind_border_passages_by_direction', 'ind_border_balance',
] %}

with figures as (
    {% for model in models %}
    select * from {{ ref(model) }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select
    {{ series_key('figures') }} as series_key,
    figures.*,
    indicators.unit_measure
from figures
join {{ ref('indicators') }} as indicators on figures.indicator = indicators.code
