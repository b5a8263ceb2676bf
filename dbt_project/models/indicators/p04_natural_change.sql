-- Births less deaths of the same source and edition; a year without one of them has no figure.
with changes as (
    select
        source,
        data_kind,
        vintage,
        duration_rule,
        universe,
        reference_year,
        country_code,
        sum(case when component = 'BIRTHS' then value_persons else -value_persons end) as natural_change
    from {{ ref('fct_population_components') }}
    where component in ('BIRTHS', 'DEATHS')
    group by source, data_kind, vintage, duration_rule, universe, reference_year, country_code
    having count(value_persons) = 2
)

{{ indicator_rows('changes', yearly('P04', 'country_code', 'natural_change')) }}
