select * from {{ ref('stg_batches') }}
