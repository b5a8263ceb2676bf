{{ fact_as_fed('displaced_persons', [
    'reference_year', 'origin_code', 'asylum_code', 'population_group', 'stock_persons', 'value_missing', 'conf_status',
]) }}
