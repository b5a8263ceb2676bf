{{ estimates(
    'C06', 'fct_migrants', [[], ['sex']], kind='share',
    measure="activity_status = 'UNE'",
    domain="migrant_group != 'NON_MIGRANT' and age_years >= 15 and activity_status in ('EMP', 'UNE')"
) }}
