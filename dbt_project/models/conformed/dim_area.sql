-- boundary_version is the day since when the areas of a country and level have stood as they do: the last day on which
-- one of them came into being.
with areas as (
    select
        area_code,
        level,
        country_code,
        nullif(parent_code, '') as parent_code,
        name_en,
        name_fr,
        name_ar,
        nullif(iso_code, '') as area_id_iso,
        nullif(ins_code, '') as area_id_ins,
        try_cast(nullif(valid_from, '') as date) as valid_from_date,
        try_cast(nullif(valid_to, '') as date) as valid_to_date
    from {{ ref('areas') }}
)

select
    *,
    coalesce(cast(max(valid_from_date) over (partition by country_code, level) as varchar), '_Z') as boundary_version
from areas
