-- In each wave, persons in the areas directly below an area are the persons in it, hierarchy by hierarchy, on the last
-- day of the wave: nobody falls between two areas or counts in both. Persons whose area is not known are in neither.
with persons as (
    select batch_id, period_end_date, ref_country, area_code, count(*) as persons, sum(weight_persons) as weight_persons
    from {{ ref('fct_persons') }}
    where area_code != '_U'
    group by all
),

-- Each wave's persons once more for every area above theirs.
inside as (
    select batch_id, period_end_date, ref_country, area_code, persons, weight_persons from persons
    union all
    select persons.batch_id, persons.period_end_date, persons.ref_country, above.ancestor_code, persons.persons, persons.weight_persons
    from persons
    join {{ ref('dim_area_ancestor') }} as above
        on persons.area_code = above.area_code
        and {{ stood_on('persons.period_end_date') }}
),

totals as (
    select batch_id, period_end_date, area_code, sum(persons) as persons, sum(weight_persons) as weight_persons
    from inside
    group by all
),

links as (
    select
        hierarchy,
        child_code,
        parent_code,
        coalesce(try_cast(nullif(valid_from, '') as date), date '0001-01-01') as from_date,
        coalesce(try_cast(nullif(valid_to, '') as date), date '9999-12-31') as to_date
    from {{ ref('area_hierarchies') }}
),

children as (
    select
        links.hierarchy,
        links.parent_code,
        totals.batch_id,
        sum(totals.persons) as persons,
        sum(totals.weight_persons) as weight_persons
    from totals
    join links
        on totals.area_code = links.child_code
        and totals.period_end_date >= links.from_date
        and totals.period_end_date < links.to_date
    group by all
)

select children.*, totals.persons as parent_persons, totals.weight_persons as parent_weight_persons
from children
join totals on children.batch_id = totals.batch_id and children.parent_code = totals.area_code
where children.persons != totals.persons or children.weight_persons != totals.weight_persons
