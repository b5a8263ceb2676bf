with sent as (
    select * from {{ ref('feed_enrolments') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

countries as (
    select * from {{ ref('dim_country') }}
),

enrolments as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        sent.student_group,
        coalesce(sent.student_id, sent.file_id) as student_id,
        sent.file_id,
        coalesce(sent.country_of_citizenship_code, '_U') as country_of_citizenship_code,
        coalesce(sent.country_of_study_code, '_U') as country_of_study_code,
        coalesce(sent.sex, '_U') as sex,
        sent.birth_date,
        coalesce(sent.sector, '_Z') as sector,
        coalesce(sent.study_level, '_U') as study_level,
        coalesce(sent.study_field, '_Z') as study_field,
        sent.institution,
        coalesce(sent.students_persons, 1) as students_persons,
        coalesce(sent.student_id, sent.file_id) is not null as is_microdata
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
)

select
    enrolments.*,
    -- Africa and the Americas are told apart by their M49 sub-regions, as students' statistics do.
    case
        when countries.region_m49_code in ('002', '019') then countries.subregion_m49_code
        else coalesce(countries.region_m49_code, '_U')
    end as region_of_citizenship_code
from enrolments
left join countries on enrolments.country_of_citizenship_code = countries.country_code
