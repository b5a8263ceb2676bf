select
    code as occupation_code,
    nullif(parent_code, '') as parent_code,
    case when code in ('_U', '_R', '_Z') then null else cast(length(code) as bigint) end as digits,
    {{ labels('occupations') }}
from {{ ref('occupations') }} as occupations
