with sent as (
    select * from {{ ref('feed_vital_events') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

events as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        sent.event_type,
        sent.event_date,
        coalesce(sent.area_code, '_U') as area_code,
        coalesce(sent.sex, '_U') as sex,
        sent.age_years,
        sent.country_of_citizenship_code,
        sent.person_id,
        coalesce(sent.coverage_percent, 100) as coverage_percent
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
)

select * from events
