{{ estimates(
    'A03', 'fct_persons',
    [[], ['sex'], ['age'], ['ref_area'], ['ref_area', 'sex'], ['country_birth']],
    measure="birth_status = 'FOREIGN' and citizenship_status = 'CITIZEN'",
    asked='birth_status',
    dimensions={'country_birth': 'country_of_birth_code'}
) }}
