-- Citizens who lived abroad five years before and live here now: who returned and left again in between is missed.
{{ estimates(
    'B03', 'fct_persons', [[], ['sex'], ['ref_area'], ['last_country']],
    measure="was_abroad_5y and citizenship_status = 'CITIZEN'",
    asked="case when residence_5y_status not in ('_U', '_Z') then citizenship_status else '_Z' end",
    dimensions={
        'last_country': "case when was_abroad_5y and citizenship_status = 'CITIZEN' then country_of_residence_5y_code else '_Z' end",
    },
    values=of_window('5')
) }}
