with {{ moves_by_area() }},

spread as (
    {{ spread_over_areas('own', 'area_code') }}
),

rates as (
    select
        batch_id,
        entity,
        area_code,
        sum(moved_in) - sum(moved_out) as net_persons,
        sum(persons) as mean_persons,
        sum(records) as records
    from spread
    group by batch_id, entity, area_code
),

dated as (
    select
        batches.*,
        rates.area_code,
        rates.net_persons,
        rates.mean_persons,
        rates.records,
        batches.period_end_date - interval 5 year as first_date,
        1000 * cast(rates.net_persons as double) / nullif(cast(rates.mean_persons as double), 0) as rate
    from rates
    join {{ ref('dim_batch') }} as batches on rates.batch_id = batches.batch_id and rates.entity = batches.entity
)

{{ indicator_rows('dated', {
    'indicator': "'B24'", 'ref_area': 'area_code', 'universe': "'resident_population_5_plus'",
    'period_start_date': 'first_date', 'obs_value': 'rate', 'numerator': 'net_persons', 'denominator': 'mean_persons',
    'n_obs': 'records', 'is_microdata': 'true',
}) }}
