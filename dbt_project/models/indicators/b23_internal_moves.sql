-- The matrix, and what entered and left each area; ref_area is where they live now, the counterpart where they lived. Of
-- larger areas there is none: moves within them would look like moves into them.
with cells as (
    select
        batch_id,
        entity,
        {{ grouped_total('destination_code') }},
        {{ grouped_total('origin_code') }},
        {{ grouped_total('education_level') }},
        sum(persons) as persons,
        sum(records) as records
    from {{ ref('int_persons__moves') }}
    where has_moved
    group by grouping sets (
        (batch_id, entity), (batch_id, entity, destination_code), (batch_id, entity, origin_code),
        (batch_id, entity, destination_code, origin_code), (batch_id, entity, education_level),
        (batch_id, entity, destination_code, education_level)
    )
),

dated as (
    select
        batches.*,
        cells.persons,
        cells.records,
        case when cells.destination_code = '_T' then batches.ref_country else cells.destination_code end as destination,
        cells.origin_code as origin,
        cells.education_level,
        batches.period_end_date - interval 5 year as first_date
    from cells
    join {{ ref('dim_batch') }} as batches on cells.batch_id = batches.batch_id and cells.entity = batches.entity
)

{{ indicator_rows('dated', {
    'indicator': "'B23'", 'ref_area': 'destination', 'counterpart_area': 'origin', 'education_lev': 'education_level',
    'universe': "'resident_population_5_plus'",
    'period_start_date': 'first_date', 'obs_value': 'persons', 'n_obs': 'records', 'is_microdata': 'true',
}) }}
