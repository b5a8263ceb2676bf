-- Both counts of two censuses that follow each other, by area, and the person-years lived between them. An area is here
-- only where it stood within the same boundaries at both. Who was born on census day is counted by the census, so the
-- interval runs from the day after the first to the day of the second.
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

pairs as (
    select
        batch_id as first_batch_id,
        lead(batch_id) over following as second_batch_id
    from counts
    where area_code = '_T'
    window following as (partition by source, ref_country, duration_rule, universe order by census_date)
),

areas as (
    select area_code, valid_from_date, valid_to_date, boundary_version from {{ ref('dim_area') }}
),

grown as (
    select
        later.source,
        {{ weakest_kind('earlier.data_kind', 'later.data_kind') }} as data_kind,
        later.duration_rule,
        later.universe,
        later.vintage,
        later.ref_country,
        later.area_code,
        coalesce(areas.boundary_version, '_Z') as boundary_version,
        earlier.census_date as first_census_date,
        later.census_date as second_census_date,
        {{ days_between('earlier.census_date', 'later.census_date') }} / 365.25e0 as interval_years,
        earlier.persons as first_persons,
        later.persons as second_persons,
        least(earlier.records, later.records) as records
    from pairs
    join counts as earlier on pairs.first_batch_id = earlier.batch_id
    join counts as later on pairs.second_batch_id = later.batch_id and earlier.area_code = later.area_code
    left join areas on later.area_code = areas.area_code
    where
        later.area_code = '_T'
        or (
            later.area_code != '_U'
            and coalesce(areas.valid_from_date <= earlier.census_date, true)
            and coalesce(areas.valid_to_date > later.census_date, true)
        )
)

select
    *,
    ln(cast(second_persons as double) / cast(first_persons as double)) / interval_years as growth_rate,
    -- Person-years of a population that grows at a constant rate between its two counts.
    case
        when second_persons = first_persons then cast(first_persons as double) * interval_years
        else cast(second_persons - first_persons as double) / ln(cast(second_persons as double) / cast(first_persons as double)) * interval_years
    end as person_years
from grown
