-- SDG 10.7.4: refugees / (population of the country of origin + refugees from it) x 100,000, end of year.
with refugees as (
    select
        source, data_kind, vintage, duration_rule, universe, reference_year, origin_code as country_code,
        sum(stock_persons) as refugees_persons
    from {{ ref('fct_displaced_persons') }}
    where population_group = 'REFUGEES' and stock_persons is not null
    group by all
),

population as (
    select source, data_kind, vintage, reference_year, country_code, value_persons as population_persons
    from {{ ref('fct_population_components') }}
    where component = 'POPULATION' and value_persons > 0
),

rates as (
    select
        refugees.source || '+' || population.source as source,
        refugees.vintage || '+' || population.vintage as vintage,
        {{ weakest_kind('refugees.data_kind', 'population.data_kind') }} as data_kind,
        refugees.duration_rule,
        refugees.universe,
        refugees.reference_year,
        refugees.country_code,
        cast(refugees.refugees_persons as double) as refugees_persons,
        cast(population.population_persons + refugees.refugees_persons as double) as base_persons
    from refugees
    join population on refugees.country_code = population.country_code and refugees.reference_year = population.reference_year
)

{{ indicator_rows('rates', dict(
    yearly('E02', 'country_code', '100000 * refugees_persons / base_persons', day='12, 31'),
    numerator='refugees_persons', denominator='base_persons'
)) }}
