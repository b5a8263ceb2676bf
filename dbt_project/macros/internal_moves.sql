{# Internal moves in and out, by area and the areas above it. Moves between areas of one larger area are in both sums of it;
   its net does not change by them. Not here: the matrix itself (`int_persons__moves`). #}
{% macro moves_by_area() -%}
moves as (
    select * from {{ ref('int_persons__moves') }}
),

sides as (
    select batch_id, entity, destination_code as area_code, persons as moved_in, 0 as moved_out, records from moves where has_moved
    union all
    select batch_id, entity, origin_code, 0, persons, records from moves where has_moved
),

-- Mean of those who live there now and those who lived there five years before.
present as (
    select batch_id, entity, destination_code as area_code, cast(persons * 0.5 as decimal(38, 18)) as persons from moves
    union all
    select batch_id, entity, origin_code, persons / 2 from moves
),

own as (
    select
        people.batch_id, people.entity, people.area_code,
        coalesce(flows.moved_in, 0) as moved_in,
        coalesce(flows.moved_out, 0) as moved_out,
        coalesce(flows.records, 0) as records,
        people.persons
    from (select batch_id, entity, area_code, sum(persons) as persons from present group by batch_id, entity, area_code) as people
    left join (
        select batch_id, entity, area_code, sum(moved_in) as moved_in, sum(moved_out) as moved_out, sum(records) as records
        from sides
        group by batch_id, entity, area_code
    ) as flows on people.batch_id = flows.batch_id and people.entity = flows.entity and people.area_code = flows.area_code
)
{%- endmacro %}
