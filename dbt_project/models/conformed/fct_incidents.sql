with sent as (
    select * from {{ ref('feed_incidents') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
)

select
    sent.source,
    sent.entity,
    sent.period,
    sent.batch_id,
    sent.layout,
    sent.record_no,
    {{ batch_columns('batches') }}
    sent.incident_date,
    coalesce(sent.country_code, '_U') as country_code,
    sent.route,
    sent.cause,
    coalesce(sent.nationality_code, '_U') as nationality_code,
    sent.dead_missing_persons,
    sent.survivors_persons
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
