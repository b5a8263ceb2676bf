{{ estimates(
    'A05', 'fct_migrants',
    [
        [], ['sex'], ['age'], ['sex', 'age'], ['ref_area'], ['ref_area', 'sex'], ['counterpart_area'],
        ['counterpart_area', 'sex'], ['education_lev'], ['reason'], ['sex', 'reason'], ['route'],
    ],
    domain="migrant_group = 'CURRENT_MIGRANT' and measure_type = 'stock'",
    dimensions={'age': broad_age(), 'route': 'entry_route'}
) }}
