{{ estimates(
    'C04', 'fct_migrants', [['education_lev'], ['sex', 'education_lev']], kind='share', parts=['education_lev'],
    domain="migrant_group != 'NON_MIGRANT' and education_level not in ('_U', '_Z')",
    values=of_window('window_years')
) }}
