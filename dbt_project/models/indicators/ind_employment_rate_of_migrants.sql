{{ estimates(
    'C05', 'fct_migrants', [[], ['sex']], kind='share',
    measure="activity_status = 'EMP'",
    domain="migrant_group != 'NON_MIGRANT' and age_years between 15 and 64 and activity_status in ('EMP', 'UNE', 'OUT')"
) }}
