{{ config(materialized='view') }}
-- What the codes of every dimension are called, in the languages of the observatory. The lists of a breakdown are those that
-- its record names; where none of them has a word for the total, the unknown or what does not apply, the general one stands.
{%- set core = {
    'indicator': 'indicators', 'freq': 'freq', 'ref_area': 'countries areas', 'counterpart_area': 'countries areas',
    'level': 'area_level', 'sex': 'sex', 'age': 'age', 'duration_rule': 'duration_rule', 'universe': 'universe',
    'source': 'sources', 'data_kind': 'data_kind', 'unit_measure': 'unit_measure', 'obs_status': 'obs_status',
    'conf_status': 'conf_status',
} %}
with listed as (
    select kind as list, code, {{ labels('definitions', 'code_name') }} from {{ ref('definitions') }} as definitions
    {%- for table, code in {
        'indicators': 'code', 'countries': 'country_code', 'areas': 'area_code', 'occupations': 'code', 'sources': 'source',
    }.items() %}
    union all
    select '{{ table }}' as list, {{ code }} as code, {{ labels('named', 'code_name') }} from {{ ref(table) }} as named
    {%- endfor %}
    union all
    select
        'sources' as list,
        made.source as code,
        {%- for language in languages().split() %}
        {{ joined('sources.name_' ~ language, ' + ', 'sources.source') }} as code_name_{{ language }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select distinct source, {{ each_of(parts_of('source', '+')) }} as part from {{ ref('indicator_series') }} where source like '%+%'
    ) as made
    join {{ ref('sources') }} as sources on made.part = sources.source
    group by made.source
),

dimensions as (
    select breakdown as dimension, {{ each_of(parts_of("codes || ' any_dimension'", ' ')) }} as list from {{ ref('breakdowns') }}
    {%- for dimension, lists in core.items() %}
    union all
    select '{{ dimension }}', {{ each_of(parts_of("'" ~ lists ~ " any_dimension'", ' ')) }}
    {%- endfor %}
),

ranked as (
    select
        dimensions.dimension,
        listed.*,
        row_number() over (partition by dimensions.dimension, listed.code order by listed.list = 'any_dimension', listed.list) as preference
    from dimensions
    join listed on dimensions.list = listed.list
)

select dimension, code, {{ labelled('code_name') }}
from ranked
where preference = 1
