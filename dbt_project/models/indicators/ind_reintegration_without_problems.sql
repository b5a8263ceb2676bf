{{ estimates(
    'C15', 'fct_migrants', [[], ['sex'], ['age'], ['return_mode']], kind='share',
    measure="has_reintegration_problem = 'NO'",
    domain="migrant_group = 'RETURN_MIGRANT' and has_reintegration_problem in ('YES', 'NO')",
    dimensions={'age': broad_age()}
) }}
