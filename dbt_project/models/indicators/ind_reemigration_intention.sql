{{ estimates(
    'C14', 'fct_migrants', [[], ['sex'], ['age'], ['return_mode']], kind='share',
    measure="intends_to_migrate = 'YES'",
    domain="migrant_group = 'RETURN_MIGRANT' and intends_to_migrate in ('YES', 'NO')",
    dimensions={'age': broad_age()}
) }}
