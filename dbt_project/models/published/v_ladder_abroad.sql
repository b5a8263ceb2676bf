{{ config(materialized='view') }}
-- How many citizens or native-born live abroad, by every definition there is.
select {{ all_but('ladder') }} from {{ ref('v_ladders') }} where ladder = 'ABROAD'
