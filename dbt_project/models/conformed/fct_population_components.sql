{{ fact_as_fed('population_components', ['reference_year', 'country_code', 'component', 'value_persons', 'value_missing', 'conf_status']) }}
