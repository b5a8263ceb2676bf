-- Net migration of areas between two censuses by census survival ratios (UN Manual VI, 1970). Of each sex and five-year age
-- group at the first census, S is the share of the whole country's that the second one counts; what an area has beyond that
-- came, what it lacks left. The country's own balance is in S, so areas add up to nearly nothing: this is migration within
-- it, and abroad only as far as one area differs from all. Two rows: net migrants who lived until the second census, as if all
-- had come at its end, and the mean of that and of those who set out, as if in the middle. Those born since are not in it.
with people as (
    select
        source, batch_id, data_kind, duration_rule, universe, vintage, ref_country, period_end_date as census_date,
        area_code, sex, age_years, weight_persons
    from {{ ref('fct_persons') }}
    where design_kind = 'census' and age_years is not null and sex in ('M', 'F') and area_code != '_U'
),

censuses as (
    select distinct source, batch_id, data_kind, duration_rule, universe, vintage, ref_country, census_date from people
),

pairs as (
    select
        {{ all_but('batch_id, census_date') }},
        lag(batch_id) over preceding as first_batch_id,
        lag(census_date) over preceding as first_date,
        batch_id as second_batch_id,
        census_date as second_date,
        cast(round({{ days_between('lag(census_date) over preceding', 'census_date') }} / 365.25e0) as integer) as interval_years
    from censuses
    window preceding as (partition by source, ref_country, duration_rule, universe order by census_date)
),

-- An age group keeps its name from the first census on; those of 75 and over are one, since the second tells no more.
counted as (
    select
        pairs.second_batch_id, people.duration_rule, people.universe, people.area_code, people.sex,
        least(cast(floor((case when people.batch_id = pairs.first_batch_id then people.age_years else people.age_years - pairs.interval_years end) / 5) as integer), 15) as age_no,
        coalesce(sum(people.weight_persons) filter (where people.batch_id = pairs.first_batch_id), 0) as first_persons,
        coalesce(sum(people.weight_persons) filter (where people.batch_id = pairs.second_batch_id), 0) as second_persons,
        count(*) filter (where people.batch_id = pairs.first_batch_id) as first_records,
        count(*) filter (where people.batch_id = pairs.second_batch_id) as second_records
    from pairs
    join people on people.batch_id in (pairs.first_batch_id, pairs.second_batch_id)
    where people.batch_id = pairs.first_batch_id or people.age_years >= pairs.interval_years
    group by all
),

country as (
    select
        second_batch_id, duration_rule, universe, sex, age_no,
        cast(sum(second_persons) as double) / cast(sum(first_persons) as double) as survival_ratio
    from counted
    group by second_batch_id, duration_rule, universe, sex, age_no
    having sum(first_persons) > 0 and sum(second_persons) > 0
),

net as (
    select
        counted.*,
        cast(counted.second_persons as double) - country.survival_ratio * cast(counted.first_persons as double) as forward_persons,
        cast(counted.second_persons as double) / country.survival_ratio - cast(counted.first_persons as double) as reverse_persons
    from counted
    join country using (second_batch_id, duration_rule, universe, sex, age_no)
),

-- Only an area that is in both censuses, and stood within the same boundaries.
summed as (
    select
        net.second_batch_id, net.duration_rule, net.universe, net.area_code,
        case when grouping(net.sex) = 1 then '_T' else net.sex end as sex,
        least(sum(net.first_records), sum(net.second_records)) as records,
        cast(sum(cast(net.forward_persons as decimal(18, 6))) as double) as forward_persons,
        cast(sum(cast((net.forward_persons + net.reverse_persons) / 2 as decimal(18, 6))) as double) as average_persons
    from net
    group by grouping sets (
        (net.second_batch_id, net.duration_rule, net.universe, net.area_code),
        (net.second_batch_id, net.duration_rule, net.universe, net.area_code, net.sex)
    )
    having sum(net.first_records) > 0 and sum(net.second_records) > 0
),

dated as (
    select
        pairs.*, summed.area_code, summed.sex, summed.records,
        coalesce(areas.boundary_version, '_Z') as boundary_version,
        cast(year(pairs.second_date) as string) as census_year,
        methods.estimation_method,
        case methods.estimation_method when 'CENSUS_SURVIVAL_FORWARD' then summed.forward_persons else summed.average_persons end as net_persons
    from summed
    cross join (values ('CENSUS_SURVIVAL_FORWARD'), ('CENSUS_SURVIVAL_AVERAGE')) as methods (estimation_method)
    join pairs on summed.second_batch_id = pairs.second_batch_id
    left join {{ ref('dim_area') }} as areas on summed.area_code = areas.area_code
    where coalesce(areas.valid_from_date <= pairs.first_date, true) and coalesce(areas.valid_to_date > pairs.second_date, true)
)

{{ indicator_rows('dated', {
    'indicator': "'B35'", 'freq': "'A'", 'time_period': 'census_year', 'period_start_date': 'first_date', 'period_end_date': 'second_date',
    'ref_area': 'area_code', 'boundary_version': 'boundary_version', 'sex': 'sex', 'estimation_method': 'estimation_method',
    'obs_value': 'net_persons', 'n_obs': 'records', 'is_microdata': 'true', 'obs_status': "'E'",
}) }}
