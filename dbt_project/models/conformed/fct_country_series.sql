with sent as (
    select * from {{ ref('feed_country_series') }}
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
    sent.country_code,
    sent.series,
    sent.currency,
    sent.observed_value
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
