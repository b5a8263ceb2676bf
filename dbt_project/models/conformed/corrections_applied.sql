-- What each correction did to each batch that counts, from data/corrections: rows, and a measure before and after.
with matched as (
    select * from {{ ref('feed_corrections') }}
),

applied as (
    select
        matched.correction_id,
        matched.source,
        matched.entity,
        matched.period,
        matched.batch_id,
        corrections.kind,
        corrections.action,
        nullif(corrections.columns_changed, '') as columns_changed,
        matched.rows_sent,
        matched.rows_matched,
        matched.rows_changed,
        corrections.measure,
        matched.measure_before,
        matched.measure_after,
        corrections.status,
        corrections.provided_by,
        {{ labels('corrections', 'reason', 'reason') }}
    from matched
    join {{ ref('corrections') }} as corrections on matched.correction_id = corrections.correction_id
)

select * from applied
