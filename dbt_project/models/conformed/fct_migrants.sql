{%- set coded = [
    'reason_code', 'education_level', 'activity_status', 'entry_route', 'return_mode', 'intends_to_migrate', 'has_plan',
    'has_reintegration_problem', 'has_invested', 'country_of_citizenship_code', 'country_code',
] -%}
with sent as (
    select * from {{ ref('feed_migrants') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

-- What nobody of an entity was asked is not applicable there; where others answered, a missing answer is unknown.
questionnaires as (
    select
        batch_id,
        entity,
        count(*) as batch_records,
        {%- for name in coded %}
        case when count({{ name }}) = 0 then '_Z' else '_U' end as missing_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from sent
    group by batch_id, entity
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
        sent.migrant_group,
        coalesce(sent.area_code, '_U') as area_code,
        coalesce(sent.sex, '_U') as sex,
        sent.age_years,
        {{ age_group('sent.age_years') }} as age_group,
        {{ broad_age_group('sent.age_years') }} as broad_age_group,
        sent.move_year,
        sent.imputed_columns,
        {%- for name in coded %}
        coalesce(sent.{{ name }}, questionnaires.missing_{{ name }}) as {{ name }},
        {%- endfor %}
        {{ sample_columns('questionnaires.batch_records') }}
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
    join questionnaires on sent.batch_id = questionnaires.batch_id and sent.entity = questionnaires.entity
)

select * from derived
