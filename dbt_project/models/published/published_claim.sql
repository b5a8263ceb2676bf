select * from {{ ref('claims') }} order by claim_id
