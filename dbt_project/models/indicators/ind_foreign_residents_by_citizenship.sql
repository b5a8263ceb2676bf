-- A01 where a survey interviews foreigners apart from other residents.
{{ estimates(
    'A01', 'fct_migrants', [[], ['sex'], ['age'], ['ref_area'], ['citizenship'], ['education_lev'], ['activity']],
    domain="migrant_group = 'FOREIGN_RESIDENT' and measure_type = 'stock'",
    dimensions={'age': broad_age(), 'citizenship': 'country_of_citizenship_code'}
) }}
