with sent as (
    select * from {{ ref('feed_displaced_persons') }}
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
    sent.reference_year,
    sent.origin_code,
    sent.asylum_code,
    sent.population_group,
    sent.stock_persons
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
