-- Current and return migrants have each a universe of their own, and stay apart.
{{ estimates(
    'D09', 'fct_migrants', [[], ['sex'], ['age']], kind='share',
    measure="has_invested = 'YES'",
    domain="migrant_group in ('CURRENT_MIGRANT', 'RETURN_MIGRANT') and has_invested in ('YES', 'NO')",
    dimensions={'age': broad_age()}
) }}
