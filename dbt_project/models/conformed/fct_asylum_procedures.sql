with sent as (
    select * from {{ ref('feed_asylum_procedures') }}
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
    sent.authority,
    sent.stage,
    sent.level_sent,
    sent.stage_sent,
    sent.counted,
    sent.outcome,
    sent.procedures
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
