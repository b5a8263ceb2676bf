-- The balance of a population between two censuses that follow each other, by area: both counts, the births and deaths
-- between them, and the person-years lived. A pair is here only where births and deaths were delivered for each of its
-- days, and an area only where it stood within the same boundaries at both. Who was born on census day is counted by the
-- census, so the interval runs from the day after the first to the day of the second.
with people as (
    select
        source, batch_id, data_kind, duration_rule, universe, vintage, ref_country, period_end_date as census_date,
        area_code, weight_persons
    from {{ ref('fct_persons') }}
    where design_kind = 'census'
),

counts as (
    select
        source, batch_id, data_kind, duration_rule, universe, vintage, ref_country, census_date,
        case when grouping(area_code) = 1 then '_T' else area_code end as area_code,
        sum(weight_persons) as persons,
        count(*) as records
    from people
    group by grouping sets (
        (source, batch_id, data_kind, duration_rule, universe, vintage, ref_country, census_date),
        (source, batch_id, data_kind, duration_rule, universe, vintage, ref_country, census_date, area_code)
    )
),

censuses as (
    select source, batch_id, ref_country, duration_rule, universe, census_date
    from counts
    where area_code = '_T'
),

pairs as (
    select
        source, ref_country, batch_id as first_batch_id, census_date as first_date,
        lead(batch_id) over following as second_batch_id,
        lead(census_date) over following as second_date
    from censuses
    window following as (partition by source, ref_country, duration_rule, universe order by census_date)
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
        sum(date_diff(
            'day',
            greatest(event_files.period_start_date, pairs.first_date + 1),
            least(event_files.period_end_date, pairs.second_date) + 1
        )) filter (where event_files.event_type = 'BIRTH') as birth_days,
        sum(date_diff(
            'day',
            greatest(event_files.period_start_date, pairs.first_date + 1),
            least(event_files.period_end_date, pairs.second_date) + 1
        )) filter (where event_files.event_type = 'DEATH') as death_days
    from pairs
    join event_files
        on
            pairs.ref_country = event_files.ref_country
            and pairs.first_date < event_files.period_end_date
            and pairs.second_date >= event_files.period_start_date
    group by all
),

whole as (
    select * from covered
    where birth_days = date_diff('day', first_date, second_date) and death_days = date_diff('day', first_date, second_date)
),

events as (
    select
        whole.second_batch_id, whole.events_source,
        case when grouping(fct.area_code) = 1 then '_T' else fct.area_code end as area_code,
        count(*) filter (where fct.event_type = 'BIRTH') as births,
        count(*) filter (where fct.event_type = 'DEATH') as deaths
    from whole
    join {{ ref('fct_vital_events') }} as fct
        on
            whole.ref_country = fct.ref_country
            and whole.events_source = fct.source
            and fct.event_date > whole.first_date
            and fct.event_date <= whole.second_date
    group by grouping sets ((whole.second_batch_id, whole.events_source), (whole.second_batch_id, whole.events_source, fct.area_code))
),

areas as (
    select area_code, valid_from_date, valid_to_date, boundary_version from {{ ref('dim_area') }}
),

balances as (
    select
        whole.source || '+' || whole.events_source as source,
        {{ weakest_kind('later.data_kind', 'whole.events_kind') }} as data_kind,
        later.duration_rule,
        later.universe,
        later.vintage,
        whole.ref_country,
        later.area_code,
        coalesce(areas.boundary_version, '_Z') as boundary_version,
        whole.first_date as first_census_date,
        whole.second_date as second_census_date,
        date_diff('day', whole.first_date, whole.second_date) / 365.25 as interval_years,
        earlier.persons as first_persons,
        later.persons as second_persons,
        coalesce(events.births, 0) as births_count,
        coalesce(events.deaths, 0) as deaths_count,
        least(earlier.records, later.records) as records,
        whole.coverage_percent
    from whole
    join counts as earlier on whole.first_batch_id = earlier.batch_id
    join counts as later on whole.second_batch_id = later.batch_id and earlier.area_code = later.area_code
    left join events
        on whole.second_batch_id = events.second_batch_id and whole.events_source = events.events_source and later.area_code = events.area_code
    left join areas on later.area_code = areas.area_code
    where
        later.area_code = '_T'
        or (
            later.area_code != '_U'
            and coalesce(areas.valid_from_date <= whole.first_date, true)
            and coalesce(areas.valid_to_date > whole.second_date, true)
        )
)

select
    *,
    second_persons - first_persons - births_count + deaths_count as residual_persons,
    -- Person-years of a population that grows at a constant rate between its two counts.
    case
        when second_persons = first_persons then cast(first_persons as double) * interval_years
        else cast(second_persons - first_persons as double) / ln(cast(second_persons as double) / cast(first_persons as double)) * interval_years
    end as person_years
from balances
