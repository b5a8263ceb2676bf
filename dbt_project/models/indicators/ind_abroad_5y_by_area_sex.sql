{{ person_estimates('B26', measure="was_abroad_5y", kind='total', asked='residence_5y_status') }}
