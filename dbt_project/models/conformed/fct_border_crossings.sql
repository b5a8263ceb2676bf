with sent as (
    select * from {{ ref('feed_border_crossings') }}
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
    sent.crossing_date,
    sent.direction,
    sent.post_code,
    sent.country_of_citizenship_code,
    coalesce(sent.residence_status, '_U') as residence_status,
    coalesce(sent.sex, '_U') as sex,
    sent.age_years,
    sent.traveller_id
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
