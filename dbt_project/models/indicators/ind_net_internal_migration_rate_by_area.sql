with {{ moves_by_area() }},

spread as (
    select * from own
    union all
    select own.* replace (above.ancestor_code as area_code)
    from own
    join {{ ref('dim_batch') }} as batches on own.batch_id = batches.batch_id and own.entity = batches.entity
    join {{ ref('dim_area_ancestor') }} as above
        on own.area_code = above.area_code
        and above.ancestor_level != 'country'
        and batches.period_end_date >= coalesce(above.valid_from_date, date '0001-01-01')
        and batches.period_end_date < coalesce(above.valid_to_date, date '9999-12-31')
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
