{{ estimates(
    'C03', 'fct_migrants', [[], ['age'], ['ref_area'], ['counterpart_area']], kind='share',
    measure="sex = 'F'", domain="migrant_group = 'CURRENT_MIGRANT' and sex in ('M', 'F')",
    dimensions={'age': broad_age()},
    values=of_window('window_years')
) }}
