{{ config(materialized='view') }}
-- The differences of the ladders as they may be quoted: pairs with a synthetic side stand in ladder_difference alone.
select * from {{ ref('ladder_difference') }} where data_kind != 'synthetic'
