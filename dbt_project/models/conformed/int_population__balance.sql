-- The balance of a population between two censuses that follow each other, by area: both counts, the births and deaths
-- between them, and the person-years lived. A pair is here only where births and deaths were delivered for each of its days.
{%- set first_day = 'greatest(event_files.period_start_date, pairs.first_census_date + 1)' %}
{%- set day_after = 'least(event_files.period_end_date, pairs.second_census_date) + 1' %}
with growth as (
    select * from {{ ref('int_population__growth') }}
),

pairs as (
    select distinct source, ref_country, duration_rule, universe, first_census_date, second_census_date from growth
),

event_files as (
    select distinct source, ref_country, data_kind, batch_id, event_type, coverage_percent, period_start_date, period_end_date
    from {{ ref('fct_vital_events') }}
),

covered as (
    select
        pairs.*,
        event_files.source as events_source,
        any_value(event_files.data_kind) as events_kind,
        min(event_files.coverage_percent) as coverage_percent,
        sum({{ days_between(first_day, day_after) }}) filter (where event_files.event_type = 'BIRTH') as birth_days,
        sum({{ days_between(first_day, day_after) }}) filter (where event_files.event_type = 'DEATH') as death_days
    from pairs
    join event_files
        on
            pairs.ref_country = event_files.ref_country
            and pairs.first_census_date < event_files.period_end_date
            and pairs.second_census_date >= event_files.period_start_date
    group by all
),

whole as (
    select *
    from covered
    where
        birth_days = {{ days_between('first_census_date', 'second_census_date') }}
        and death_days = {{ days_between('first_census_date', 'second_census_date') }}
),

events as (
    select
        whole.source, whole.ref_country, whole.duration_rule, whole.universe, whole.second_census_date, whole.events_source,
        case when grouping(fct.area_code) = 1 then '_T' else fct.area_code end as area_code,
        count(*) filter (where fct.event_type = 'BIRTH') as births,
        count(*) filter (where fct.event_type = 'DEATH') as deaths
    from whole
    join {{ ref('fct_vital_events') }} as fct
        on
            whole.ref_country = fct.ref_country
            and whole.events_source = fct.source
            and fct.event_date > whole.first_census_date
            and fct.event_date <= whole.second_census_date
    group by grouping sets (
        (whole.source, whole.ref_country, whole.duration_rule, whole.universe, whole.second_census_date, whole.events_source),
        (whole.source, whole.ref_country, whole.duration_rule, whole.universe, whole.second_census_date, whole.events_source, fct.area_code)
    )
),

balances as (
    select
        growth.source || '+' || whole.events_source as source,
        {{ weakest_kind('growth.data_kind', 'whole.events_kind') }} as data_kind,
        {{ all_but('source, data_kind', 'growth') }},
        coalesce(events.births, 0) as births_count,
        coalesce(events.deaths, 0) as deaths_count,
        whole.coverage_percent
    from whole
    join growth on {{ same('whole', 'growth', 'source, ref_country, duration_rule, universe, second_census_date') }}
    left join events
        on
            {{ same('growth', 'events', 'source, ref_country, duration_rule, universe, second_census_date, area_code') }}
            and whole.events_source = events.events_source
)

select
    *,
    cast(second_persons - first_persons - births_count + deaths_count as decimal(38, 18)) as residual_persons
from balances
