with sent as (
    select * from {{ ref('feed_person_links') }}
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
    sent.study_id,
    sent.link_key,
    sent.register_source,
    sent.register_domain,
    sent.register_id,
    sent.method,
    sent.key_version
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
