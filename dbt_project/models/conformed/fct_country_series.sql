{{ fact_as_fed('country_series', [
    'reference_year', 'country_code', 'series', 'currency', 'observed_value', 'value_missing', 'conf_status',
]) }}
