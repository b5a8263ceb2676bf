with sent as (
    select * from {{ ref('feed_migrant_stock') }}
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
    sent.destination_code,
    sent.origin_code,
    coalesce(sent.sex, '_T') as sex,
    sent.stock_persons,
    sent.value_missing,
    sent.conf_status,
    coalesce(sent.is_imputed, false) as is_imputed
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
