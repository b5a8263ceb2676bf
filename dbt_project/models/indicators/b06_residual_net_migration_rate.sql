-- Residual net migration (B05) per 1,000 person-years between the exact census days.
{{ residual_migration_rows(
    'B06', '1000 * cast(residual_persons as double) / person_years', numerator='residual_persons', denominator='person_years'
) }}
