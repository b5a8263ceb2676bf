-- Births less deaths plus net migration is the change of the population. The source rounds its parts apart: most rows
-- agree within 20 persons, and its worst one (804 in 1989) within 0.4 percent of births and deaths.
with wide as (
    select
        source,
        vintage,
        country_code,
        reference_year,
        sum(value_persons) filter (where component = 'BIRTHS') as births_persons,
        sum(value_persons) filter (where component = 'DEATHS') as deaths_persons,
        sum(value_persons) filter (where component = 'NET_MIGRATION') as net_migration_persons,
        sum(value_persons) filter (where component = 'CHANGE') as change_persons
    from {{ ref('fct_population_components') }}
    group by all
)

select *
from wide
where
    births_persons is not null
    and deaths_persons is not null
    and net_migration_persons is not null
    and change_persons is not null
    and abs(births_persons - deaths_persons + net_migration_persons - change_persons) > 60 + 0.005 * (births_persons + deaths_persons)
