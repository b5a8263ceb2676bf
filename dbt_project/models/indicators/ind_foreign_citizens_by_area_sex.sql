{{ person_estimates('A01', measure="is_foreign_citizen", kind='total', asked='citizenship_status') }}
