{{ estimates(
    'A10', 'fct_migrants', [[], ['sex'], ['age'], ['ref_area'], ['last_country'], ['return_mode'], ['sex', 'return_mode']],
    domain="migrant_group = 'RETURN_MIGRANT' and measure_type = 'stock'",
    dimensions={'age': broad_age(), 'last_country': 'country_code'}
) }}
