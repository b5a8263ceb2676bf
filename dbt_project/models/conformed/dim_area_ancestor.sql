-- Which areas an area lies in, on which days: the chain of parents through all hierarchies side by side. A link holds
-- while the child, the parent and the link itself all stand.
with recursive areas as (
    select
        area_code,
        level,
        country_code,
        parent_code,
        coalesce(valid_from_date, date '0001-01-01') as from_date,
        coalesce(valid_to_date, date '9999-12-31') as to_date
    from {{ ref('dim_area') }}
),

stated as (
    select area_code as child_code, parent_code, from_date, to_date from areas where parent_code is not null
    union all
    select
        child_code,
        parent_code,
        coalesce(try_cast(nullif(valid_from, '') as date), date '0001-01-01') as from_date,
        coalesce(try_cast(nullif(valid_to, '') as date), date '9999-12-31') as to_date
    from {{ ref('area_hierarchies') }}
),

links as (
    select
        stated.child_code,
        stated.parent_code,
        parents.level as parent_level,
        greatest(stated.from_date, children.from_date, parents.from_date) as from_date,
        least(stated.to_date, children.to_date, parents.to_date) as to_date
    from stated
    join areas as children on stated.child_code = children.area_code
    join areas as parents on stated.parent_code = parents.area_code
),

chain as (
    select child_code as area_code, parent_code as ancestor_code, parent_level as ancestor_level, from_date, to_date, 1 as steps
    from links
    where from_date < to_date
    union all
    select
        chain.area_code,
        links.parent_code as ancestor_code,
        links.parent_level as ancestor_level,
        greatest(chain.from_date, links.from_date) as from_date,
        least(chain.to_date, links.to_date) as to_date,
        chain.steps + 1 as steps
    from chain
    join links on chain.ancestor_code = links.child_code
    where greatest(chain.from_date, links.from_date) < least(chain.to_date, links.to_date) and chain.steps < 12
),

-- Two ways to one ancestor, as to the country through regions and through districts, are one statement.
ancestors as (
    select
        area_code,
        ancestor_code,
        ancestor_level,
        nullif(min(from_date), date '0001-01-01') as valid_from_date,
        nullif(max(to_date), date '9999-12-31') as valid_to_date
    from chain
    group by area_code, ancestor_code, ancestor_level
)

select * from ancestors
