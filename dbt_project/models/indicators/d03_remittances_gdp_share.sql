-- SDG 17.3.2: personal remittances received as a percentage of gross domestic product.
with remittances as (
    select * from {{ ref('fct_country_series') }} where series = 'REMITTANCES_RECEIVED'
),

product as (
    select * from {{ ref('fct_country_series') }} where series = 'GDP' and observed_value > 0
),

shares as (
    select
        remittances.source,
        remittances.vintage,
        remittances.data_kind,
        remittances.duration_rule,
        remittances.universe,
        remittances.reference_year,
        remittances.country_code,
        remittances.observed_value as remittances_value,
        product.observed_value as product_value
    from remittances
    join product
        on remittances.source = product.source
        and remittances.vintage = product.vintage
        and remittances.currency = product.currency
        and remittances.country_code = product.country_code
        and remittances.reference_year = product.reference_year
)

{{ indicator_rows('shares', dict(
    yearly('D03', 'country_code', '100 * remittances_value / product_value'),
    numerator='remittances_value', denominator='product_value'
)) }}
