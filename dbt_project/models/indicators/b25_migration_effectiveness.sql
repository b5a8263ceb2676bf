with {{ moves_by_area() }},

indices as (
    select
        batch_id,
        entity,
        sum(abs(moved_in - moved_out)) as net_persons,
        sum(moved_in + moved_out) as moves,
        sum(records) as records
    from own
    group by batch_id, entity
),

dated as (
    select
        batches.*,
        indices.net_persons,
        indices.moves,
        indices.records,
        batches.period_end_date - interval 5 year as first_date,
        100 * cast(indices.net_persons as double) / nullif(cast(indices.moves as double), 0) as index_percent
    from indices
    join {{ ref('dim_batch') }} as batches on indices.batch_id = batches.batch_id and indices.entity = batches.entity
)

{{ indicator_rows('dated', {
    'indicator': "'B25'", 'ref_area': 'ref_country', 'universe': "'resident_population_5_plus'",
    'period_start_date': 'first_date', 'obs_value': 'index_percent', 'numerator': 'net_persons', 'denominator': 'moves',
    'n_obs': 'records', 'is_microdata': 'true',
}) }}
