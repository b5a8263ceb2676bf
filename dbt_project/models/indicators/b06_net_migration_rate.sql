-- Net migration per 1,000 person-years, the mid-year population standing for the years lived.
with migration as (
    select * from {{ ref('fct_population_components') }} where component = 'NET_MIGRATION'
),

population as (
    select source, data_kind, vintage, reference_year, country_code, value_persons as population_persons
    from {{ ref('fct_population_components') }}
    where component = 'POPULATION' and value_persons > 0
),

rates as (
    select
        case when migration.source = population.source then migration.source else migration.source || '+' || population.source end as source,
        case when migration.source = population.source then migration.vintage else migration.vintage || '+' || population.vintage end as vintage,
        {{ weakest_kind('migration.data_kind', 'population.data_kind') }} as data_kind,
        migration.duration_rule,
        migration.universe,
        migration.reference_year,
        migration.country_code,
        cast(migration.value_persons as double) as migration_persons,
        cast(population.population_persons as double) as population_persons
    from migration
    join population on migration.country_code = population.country_code and migration.reference_year = population.reference_year
)

{{ indicator_rows('rates', dict(
    yearly('B06', 'country_code', '1000 * migration_persons / population_persons'),
    numerator='migration_persons', denominator='population_persons'
)) }}
