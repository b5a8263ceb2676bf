-- boundary_version is the day since when the areas of a country and level have stood as they do: the last day on which
-- one of them came into being.
with listed as (
    select
        areas.area_code,
        areas.level,
        areas.country_code,
        nullif(areas.parent_code, '') as parent_code,
        {{ labels('areas') }},
        nullif(areas.iso_code, '') as area_id_iso,
        nullif(areas.national_code, '') as area_id_national,
        nullif(areas.claimed_by, '') as claimed_by_codes,
        areas.claimed_by is not null and areas.claimed_by != '' as is_disputed,
        try_cast(nullif(areas.valid_from, '') as date) as valid_from_date,
        try_cast(nullif(areas.valid_to, '') as date) as valid_to_date
    from {{ ref('areas') }} as areas
),

dated as (
    select
        *,
        coalesce(cast(max(valid_from_date) over (partition by country_code, level) as string), '_Z') as boundary_version
    from listed
)

select * from dated
