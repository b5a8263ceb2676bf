with sent as (
    select * from {{ ref('feed_registrations') }}
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
    sent.registration_id,
    -- The best number that the register has of the person; joining without one is the linkage step's work.
    coalesce(sent.person_id, sent.document_id, sent.registration_id) as person_id,
    sent.document_id,
    coalesce(sent.country_code, '_U') as country_code,
    coalesce(sent.sex, '_U') as sex,
    sent.birth_date,
    {{ whole_years('sent.birth_date', 'batches.period_end_date') }} as age_years,
    {{ broad_age_group(whole_years('sent.birth_date', 'batches.period_end_date')) }} as age_group,
    coalesce(sent.occupation_group, '_U') as occupation_group,
    coalesce(sent.dual_citizenship, '_U') as dual_citizenship,
    sent.registration_date
from sent
join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
