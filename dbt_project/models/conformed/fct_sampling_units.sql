with sent as (
    select * from {{ ref('feed_sampling_units') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

units as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        {{ batch_columns('batches') }}
        coalesce(sent.stratum, '_T') as stratum,
        sent.psu,
        count(*) as listed_households
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
    group by all
)

select * from units
