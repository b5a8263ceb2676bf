-- A contract that two channels report is here twice, once a channel: contract_id tells that it is one. is_first_report
-- keeps one row a contract and year of signature, so that a total over channels is a count of contracts and never a sum.
-- Persons in post are a state of each delivery, whatever the years before said.
with sent as (
    select * from {{ ref('feed_placements') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

reports as (
    select
        sent.source,
        sent.entity,
        sent.period,
        sent.batch_id,
        sent.layout,
        sent.record_no,
        {{ batch_columns('batches') }}
        sent.record_type,
        sent.placement_channel,
        sent.contract_id,
        sent.person_id,
        coalesce(sent.country_code, '_U') as country_code,
        coalesce(sent.placement_sector, '_U') as placement_sector,
        coalesce(sent.sex, '_U') as sex,
        sent.contract_date,
        sent.wage_amount,
        case when sent.wage_amount is not null then sent.currency end as currency
    from sent
    join batches on sent.batch_id = batches.batch_id and sent.entity = batches.entity
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                ref_country, universe, duration_rule, record_type, contract_id, year(contract_date),
                case when record_type = 'IN_POST' then batch_id end
            order by contract_date, placement_channel, batch_id, record_no
        ) as report_no
    from reports
)

select {{ all_but('report_no') }}, contract_id is null or report_no = 1 as is_first_report
from ranked
