with sent as (
    select * from {{ ref('feed_permits') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

permits as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        sent.permit_kind,
        sent.permit_event,
        sent.permit_result,
        sent.permit_id,
        sent.holder_id,
        sent.employer_id,
        coalesce(sent.country_of_citizenship_code, '_U') as country_of_citizenship_code,
        coalesce(sent.sex, '_U') as sex,
        sent.birth_date,
        coalesce(sent.reason_code, '_U') as reason_code,
        sent.event_date,
        sent.valid_from_date,
        sent.valid_to_date,
        coalesce(sent.area_code, '_U') as area_code,
        coalesce(sent.occupation_code, '_Z') as occupation_code,
        coalesce(sent.branch_code, '_Z') as branch_code,
        coalesce(sent.sector, '_Z') as sector,
        {{ whole_years('sent.birth_date', 'sent.event_date') }} as age_years,
        {{ whole_months('sent.valid_from_date', '(sent.valid_to_date + 1)') }} as months_valid
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
),

-- What was granted to a holder first, as far back as the accepted batches reach: an event called first issue with an
-- earlier one before it is a renewal that the register took for an arrival.
judged as (
    select
        *,
        {{ age_group('age_years') }} as age_group,
        case
            when months_valid is null then '_U'
            when months_valid < 12 then 'M_LT12'
            when months_valid < 24 then 'M12T23'
            else 'M_GE24'
        end as permit_validity,
        permit_result = 'GRANTED' and event_date between period_start_date and period_end_date as is_granted_in_period,
        permit_result = 'GRANTED'
        and event_date = min(case when permit_result = 'GRANTED' then event_date end) over (partition by source, permit_kind, holder_id)
            as is_first_of_holder
    from permits
)

select * from judged
