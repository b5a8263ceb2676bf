select
    kind,
    code,
    {{ labels('definitions') }},
    {{ labels('definitions', 'description', 'description') }},
    nullif(source, '') as definition_source
from {{ ref('definitions') }} as definitions
