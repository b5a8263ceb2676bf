{{ config(severity='error') }}
-- A correction whose source was mended, or whose condition has become another one, stops the release.
with totals as (
    select correction_id, sum(rows_matched) as rows_matched from {{ ref('corrections_applied') }} group by correction_id
)

select totals.correction_id, totals.rows_matched, corrections.expected_minimum, corrections.expected_maximum
from totals
join {{ ref('corrections') }} as corrections on totals.correction_id = corrections.correction_id
where
    corrections.severity = 'error'
    and (
        totals.rows_matched < cast(corrections.expected_minimum as bigint)
        or totals.rows_matched > cast(nullif(corrections.expected_maximum, '') as bigint)
    )
