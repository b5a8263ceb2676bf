{{ estimates(
    'C13', 'fct_migrants', [[], ['sex'], ['age'], ['ref_area']], kind='share',
    measure="has_plan = 'YES'",
    domain="migrant_group = 'NON_MIGRANT' and intends_to_migrate = 'YES' and has_plan in ('YES', 'NO')",
    dimensions={'age': broad_age()}
) }}
