-- On each day on which an area comes or goes, and today: no area has two parents in one hierarchy, and where a hierarchy
-- takes in one area of a country's level, it takes in all that stand.
with areas as (
    select
        area_code,
        level,
        country_code,
        coalesce(valid_from_date, date '0001-01-01') as from_date,
        coalesce(valid_to_date, date '9999-12-31') as to_date
    from {{ ref('dim_area') }}
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

days as (
    select {{ each_of(list_of(['from_date', 'to_date'])) }} as day from areas
    union
    select {{ each_of(list_of(['from_date', 'to_date'])) }} as day from links
    union
    select current_date as day
),

standing as (
    select days.day, areas.area_code, areas.level, areas.country_code
    from areas
    join days on days.day >= areas.from_date and days.day < areas.to_date
),

placed as (
    select links.hierarchy, standing.day, standing.country_code, standing.level, standing.area_code, count(*) as parents
    from links
    join standing
        on links.child_code = standing.area_code and standing.day >= links.from_date and standing.day < links.to_date
    join standing as above on links.parent_code = above.area_code and standing.day = above.day
    group by all
),

-- A hierarchy over areas further down may give those of one alone; one over what lies directly below a country may not.
covered as (
    select hierarchy, day, country_code, level, count(*) as children
    from placed
    where level in (select level from {{ ref('dim_area') }} where parent_code = country_code)
    group by all
),

wanted as (
    select covered.hierarchy, covered.day, covered.children, count(*) as standing_areas
    from covered
    join standing on covered.country_code = standing.country_code and covered.level = standing.level and covered.day = standing.day
    group by all
)

select hierarchy, day, area_code as place, parents as found, 1 as expected from placed where parents > 1
union all
select hierarchy, day, 'all of the level' as place, children as found, standing_areas as expected
from wanted
where children != standing_areas
