{{ config(severity='error') }}
-- A correction whose source was mended, or whose condition has become another one, stops the release.
with totals as (
    select correction_id, sum(rows_matched) as rows_matched, sum(rows_sent) as rows_sent
    from {{ ref('corrections_applied') }}
    group by correction_id
)

select
    totals.correction_id, totals.rows_matched, totals.rows_sent,
    corrections.expected_minimum, corrections.expected_maximum, corrections.maximum_share
from totals
join {{ ref('corrections') }} as corrections on totals.correction_id = corrections.correction_id
where
    corrections.severity = 'error'
    and (
        totals.rows_matched < cast(corrections.expected_minimum as bigint)
        or totals.rows_matched > cast(nullif(corrections.expected_maximum, '') as bigint)
        or totals.rows_matched > totals.rows_sent * cast(nullif(corrections.maximum_share, '') as double)
    )
