{{ person_estimates('P01', measure="true", kind='total') }}
