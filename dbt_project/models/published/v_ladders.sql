{{ config(materialized='view') }}
-- The ladders as they may be quoted: what is synthetic stands in v_ladders_with_synthetic alone.
select * from {{ ref('v_ladders_with_synthetic') }} where data_kind != 'synthetic'
