-- By the country from which they were sent; groups of countries as the source has them. Rounded one by one, so their sum
-- is the year's total but for the rounding.
with corridors as (
    select fct.*, fct.period_end_date < {{ year_end('fct.reference_year') }} as is_partial
    from {{ ref('fct_remittances') }} as fct
    join {{ ref('indicators') }} as indicators on indicators.code = 'D07' and indicators.unit_measure = fct.currency || '_MILLION'
    where fct.country_code != '_T' and fct.remittance_channel = '_T' and fct.remittance_form = '_T'
    qualify fct.period_end_date = max(fct.period_end_date) over (partition by fct.source, fct.ref_country, fct.reference_year)
)

{{ indicator_rows('corridors', dict(
    yearly('D07', 'ref_country', 'amount_millions'), counterpart_area='country_code', period_end_date='period_end_date',
    obs_status="case when is_partial then 'P' else 'A' end",
)) }}
