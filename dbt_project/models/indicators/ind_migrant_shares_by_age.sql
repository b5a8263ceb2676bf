{{ estimates(
    'C02', 'fct_migrants', [['age'], ['sex', 'age']], kind='share', parts=['age'],
    domain="migrant_group != 'NON_MIGRANT' and age_years is not null",
    dimensions={'age': broad_age()},
    values=of_window('window_years')
) }}
