{{ estimates(
    'C01', 'fct_migrants', [[], ['age'], ['ref_area']], kind='ratio',
    measure="migrant_group != 'NON_MIGRANT' and sex = 'M'", domain="migrant_group != 'NON_MIGRANT' and sex = 'F'",
    dimensions={'age': broad_age()},
    values=of_window('window_years')
) }}
