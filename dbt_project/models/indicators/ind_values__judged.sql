{{ config(materialized=kept_as()) }}
with sampled as (
    select {{ set_of('source') }} as sources from {{ ref('dim_batch') }} where design_kind in ('sample', 'census_sample')
)

{{ whole_figures('judged', 'sampled') }}
