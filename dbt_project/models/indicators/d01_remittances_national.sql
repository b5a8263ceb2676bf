-- The last cumulative amount of a year; before its last day the year is provisional. Announced totals and parts are each
-- rounded: the total is read where there is one, else it is the sum of the forms. Amounts in another currency than that
-- of the indicator's unit are left out.
with amounts as (
    select fct.*
    from {{ ref('fct_remittances') }} as fct
    join {{ ref('indicators') }} as indicators on indicators.code = 'D01' and indicators.unit_measure = fct.currency || '_MILLION'
    where fct.is_cumulative and fct.remittance_channel = '_T' and fct.country_code = '_T'
),

latest as (
    select *
    from amounts
    qualify period_end_date = max(period_end_date) over (partition by source, entity, universe, ref_country, reference_year)
),

totals as (
    select
        source, data_kind, vintage, duration_rule, universe, ref_country, reference_year, period_end_date,
        coalesce(
            sum(amount_millions) filter (where remittance_form = '_T'),
            sum(amount_millions) filter (where remittance_form != '_T')
        ) as amount_millions,
        period_end_date < {{ year_end('reference_year') }} as is_partial
    from latest
    group by all
)

{{ indicator_rows('totals', dict(
    yearly('D01', 'ref_country', 'amount_millions'), period_end_date='period_end_date',
    obs_status="case when is_partial then 'P' else 'A' end",
)) }}
