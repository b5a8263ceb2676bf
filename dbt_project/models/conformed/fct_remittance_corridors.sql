with sent as (
    select * from {{ ref('feed_remittance_corridors') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

corridors as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        sent.reference_year,
        sent.sending_country_code,
        sent.receiving_country_code,
        sent.currency,
        sent.amount_million
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
    where sent.amount_million is not null
)

select * from corridors
