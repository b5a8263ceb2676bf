{{ person_estimates('A17', measure="is_foreign_born", kind='share', asked='birth_status') }}
