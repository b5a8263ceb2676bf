-- Where residents of five and over lived five years before and live now, within the country: a matrix of areas with its
-- diagonal. Only censuses: a sample's cells would need errors that are not computed here. Who lived abroad, was not born
-- or did not say where is in no cell.
with persons as (
    select batch_id, entity, area_5y_code, area_code, coalesce(education_level, '_U') as education_level, weight_persons
    from {{ ref('fct_persons') }}
    where
        design_kind = 'census'
        and residence_5y_status in ('SAME', 'ELSEWHERE')
        and area_5y_code != '_U'
        and area_code != '_U'
),

-- A wave that asks no area of origin knows only those who stayed.
asked as (
    select batch_id, entity from persons where area_5y_code != area_code group by batch_id, entity
),

cells as (
    select
        persons.batch_id,
        persons.entity,
        persons.area_5y_code as origin_code,
        persons.area_code as destination_code,
        persons.education_level,
        persons.area_5y_code != persons.area_code as has_moved,
        sum(persons.weight_persons) as persons,
        count(*) as records
    from persons
    join asked on persons.batch_id = asked.batch_id and persons.entity = asked.entity
    group by persons.batch_id, persons.entity, persons.area_5y_code, persons.area_code, persons.education_level
)

select * from cells
