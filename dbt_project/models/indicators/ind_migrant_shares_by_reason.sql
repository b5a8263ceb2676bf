{{ estimates(
    'C10', 'fct_migrants', [['reason'], ['sex', 'reason']], kind='share', parts=['reason'],
    domain="migrant_group != 'NON_MIGRANT' and reason_code not in ('_U', '_R', '_Z')",
    values=of_window('window_years')
) }}
