-- What a country receives from each other, by one method for all countries; the receiving country's statement.
with corridors as (
    select
        source, data_kind, vintage, duration_rule, universe, reference_year, receiving_country_code,
        case when grouping(sending_country_code) = 1 then '_T' else sending_country_code end as sending_country_code,
        sum(amount_million) as amount_million
    from {{ ref('fct_remittance_corridors') }}
    where currency = 'USD' -- the unit of this indicator; amounts of other currencies are never added to it
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, reference_year, receiving_country_code),
        (source, data_kind, vintage, duration_rule, universe, reference_year, receiving_country_code, sending_country_code)
    )
)

{{ indicator_rows('corridors', dict(
    yearly('D10', 'receiving_country_code', 'amount_million'), counterpart_area='sending_country_code'
)) }}
