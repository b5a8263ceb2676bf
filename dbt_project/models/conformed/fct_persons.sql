with sent as (
    select * from {{ ref('feed_persons') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

-- Of the view, not of `sent`: DuckDB keeps what is read twice, which for a census is more than its memory.
records as (
    select feed.batch_id, feed.entity, count(*) as batch_records
    from {{ ref('feed_persons') }} as feed
    join batches on feed.batch_id = batches.batch_id and feed.entity = batches.entity
    where batches.expand_to_persons is not null
    group by feed.batch_id, feed.entity
),

-- Where a source gives the country and not what follows from it.
known as (
    select
        {{ all_but('birth_status, citizenship_status', 'sent') }},
        {{ status_by_country('sent.birth_status', 'sent.country_of_birth_code', 'batches.ref_country', 'NATIVE') }} as birth_status,
        {{ status_by_country('sent.citizenship_status', 'sent.country_of_citizenship_code', 'batches.ref_country', 'CITIZEN') }} as citizenship_status
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
),

derived as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        batches.design_kind,
        batches.expand_to_persons,
        sent.person_id,
        sent.household_id,
        sent.dwelling_id,
        coalesce(sent.area_code, '_U') as area_code,
        coalesce(sent.sex, '_U') as sex,
        sent.age_years,
        {{ age_group('sent.age_years') }} as age_group,
        coalesce(sent.birth_status, '_U') as birth_status,
        coalesce(sent.country_of_birth_code, '_U') as country_of_birth_code,
        sent.citizenship_status,
        sent.country_of_citizenship_code,
        coalesce(sent.residence_5y_status, '_U') as residence_5y_status,
        sent.country_of_residence_5y_code,
        -- Who stayed in the same locality lived in the same area; a source need not say so.
        case
            when sent.residence_5y_status = 'SAME' then sent.area_code
            when sent.residence_5y_status = 'ELSEWHERE' then coalesce(sent.area_5y_code, '_U')
        end as area_5y_code,
        sent.imputed_columns,
        sent.education_level,
        sent.activity_status,
        sent.occupation_code,
        sent.branch_code,
        sent.school_attendance,
        coalesce(sent.birth_status = 'FOREIGN', false) as is_foreign_born,
        coalesce(sent.citizenship_status = 'FOREIGN', false) as is_foreign_citizen,
        coalesce(sent.residence_5y_status = 'ABROAD', false) as was_abroad_5y,
        {{ sample_columns('records.batch_records') }}
    from known as sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
    left join records on sent.batch_id = records.batch_id and sent.entity = records.entity
)

select * from derived
