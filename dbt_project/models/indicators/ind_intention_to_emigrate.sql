{{ estimates(
    'C12', 'fct_migrants', [[], ['sex'], ['age'], ['sex', 'age'], ['ref_area'], ['education_lev'], ['activity']], kind='share',
    measure="intends_to_migrate = 'YES'",
    domain="migrant_group = 'NON_MIGRANT' and intends_to_migrate in ('YES', 'NO')",
    dimensions={'age': broad_age()}
) }}
