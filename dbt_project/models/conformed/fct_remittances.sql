-- Amounts as announced. A cumulative one runs from 1 January to the day of the delivery: earlier and later ones of a year
-- are never added, and their difference is known no closer than both roundings.
with sent as (
    select * from {{ ref('feed_remittances') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

amounts as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        cast(year(batches.period_end_date) as integer) as reference_year,
        sent.amount_millions,
        sent.precision_millions,
        sent.currency,
        coalesce(sent.is_cumulative, false) as is_cumulative,
        coalesce(sent.remittance_form, '_T') as remittance_form,
        coalesce(sent.remittance_channel, '_T') as remittance_channel,
        coalesce(sent.country_code, '_T') as country_code
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
)

select * from amounts
