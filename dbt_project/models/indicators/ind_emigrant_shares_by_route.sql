{{ estimates(
    'C11', 'fct_migrants', [['route'], ['sex', 'route']], kind='share', parts=['route'],
    domain="migrant_group = 'CURRENT_MIGRANT' and entry_route not in ('_U', '_R', '_Z')",
    dimensions={'route': 'entry_route'},
    values=of_window('window_years')
) }}
