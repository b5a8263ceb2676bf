-- Goods brought in kind per 100 of cash and kind together, in years that say both to the last day.
with forms as (
    select
        source, data_kind, vintage, duration_rule, universe, ref_country, reference_year,
        sum(amount_millions) filter (where remittance_form = 'KIND') as kind_millions,
        sum(amount_millions) filter (where remittance_form = 'CASH') as cash_millions
    from {{ ref('fct_remittances') }}
    where
        is_cumulative
        and remittance_channel = '_T'
        and country_code = '_T'
        and period_end_date = {{ year_end('reference_year') }}
    group by source, data_kind, vintage, duration_rule, universe, ref_country, reference_year, currency
    having kind_millions is not null and cash_millions + kind_millions > 0
)

{{ indicator_rows('forms', dict(
    yearly('D06', 'ref_country', '100 * cast(kind_millions as double) / cast(cash_millions + kind_millions as double)'),
    numerator='kind_millions', denominator='cash_millions + kind_millions',
)) }}
