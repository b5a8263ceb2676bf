-- Accounts, not persons: who changes the employer may get another number. person_id is who the account belongs to, by the
-- national number, else by the passport; without either the account stands for the person, who may then count twice.
with sent as (
    select * from {{ ref('feed_insurance_periods') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

accounts as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        sent.account_id,
        coalesce(sent.national_person_id, sent.travel_document_id, sent.account_id) as person_id,
        sent.national_person_id is not null or sent.travel_document_id is not null as is_person_known,
        sent.employer_id,
        sent.country_of_citizenship_code,
        coalesce(sent.sex, '_U') as sex,
        sent.birth_year,
        coalesce(sent.area_code, '_U') as area_code,
        coalesce(sent.branch_code, '_U') as branch_code,
        sent.start_date,
        sent.stop_date,
        sent.wage_amount,
        case when sent.wage_amount is not null then sent.currency end as currency
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
)

select *, start_date <= period_end_date and coalesce(stop_date > period_end_date, true) as is_active_at_end
from accounts
