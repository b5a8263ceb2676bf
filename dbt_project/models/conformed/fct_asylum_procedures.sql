{{ fact_as_fed('asylum_procedures', [
    'reference_year', 'origin_code', 'asylum_code', 'authority', 'stage', 'level_sent', 'stage_sent', 'counted',
    'outcome', 'procedures',
]) }}
