-- Registered births and deaths of a year beside the residents whom a census counted in it, by area.
with events as (
    select
        source, period, ref_country, area_code, year(event_date) as year, event_type,
        sum(100 / coalesce(coverage_percent, 100)) as events
    from conformed.fct_vital_events
    where area_code != '_U'
    group by all
),

residents as (
    select source, ref_country, area_code, year(max(period_end_date)) as year, sum(weight_persons) as residents
    from conformed.fct_persons
    where area_code != '_U'
    group by source, period, ref_country, area_code
)

select
    events.source || '+' || residents.source as source,
    events.period,
    events.area_code,
    events.event_type,
    residents.residents,
    1000 * events.events / residents.residents as per_1000
from events
join residents
    on events.ref_country = residents.ref_country
    and events.area_code = residents.area_code
    and events.year = residents.year
