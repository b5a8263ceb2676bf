with sent as (
    select * from {{ ref('feed_claims') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

claims as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        sent.claim_id,
        sent.claim_group,
        sent.indicator,
        sent.publisher,
        sent.published_when,
        sent.claim_universe,
        sent.definition,
        sent.claim_period,
        sent.ref_area,
        sent.counterpart_area,
        sent.sex,
        sent.breakdown,
        sent.claimed_value,
        sent.unit_measure,
        sent.tolerance_percent,
        sent.verdict,
        sent.why,
        sent.source_note
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
)

select * from claims
