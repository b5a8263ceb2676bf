{{ person_estimates('A04', measure="is_foreign_citizen", kind='share', asked='citizenship_status') }}
