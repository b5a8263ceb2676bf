{{ person_estimates('A02', measure="is_foreign_born", kind='total', asked='birth_status') }}
