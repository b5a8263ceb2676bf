select
    country_code,
    nullif(alpha_2, '') as alpha_2_code,
    nullif(m49, '') as m49_code,
    {{ labels('countries') }},
    status,
    try_cast(nullif(valid_from, '') as date) as valid_from_date,
    try_cast(nullif(valid_to, '') as date) as valid_to_date,
    nullif(region_m49, '') as region_m49_code,
    nullif(subregion_m49, '') as subregion_m49_code,
    successors.successor_codes
from {{ ref('countries') }} as countries
left join (
    select former_code, {{ joined('successor_code', ' ', 'successor_code') }} as successor_codes
    from {{ ref('country_successors') }}
    group by former_code
) as successors on countries.country_code = successors.former_code
