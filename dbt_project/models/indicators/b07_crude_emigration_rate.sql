-- Emigrants (B02) of a year or window, per 1,000 person-years that were lived in it: those of a population that grew at a
-- constant rate between the two censuses around it. Where no two censuses lie around a window, it has no rate. A census and
-- a survey ask after members who left a household behind, while the whole population lived the years.
with emigrations as (
    select * from ({{ figures_of(['b02_emigration']) }}) as figures
    where {{ cell_of('figures') }} = ''
),

populations as (
    select
        *,
        case when area_code = '_T' then ref_country else area_code end as ref_area
    from {{ ref('int_population__growth') }}
),

placed as (
    select
        emigrations.*,
        populations.source as population_source,
        populations.data_kind as population_kind,
        populations.vintage as population_vintage,
        populations.first_persons,
        populations.growth_rate,
        ({{ days_between('populations.first_census_date', 'emigrations.period_start_date') }} - 1) / 365.25e0 as start_years,
        {{ days_between('populations.first_census_date', 'emigrations.period_end_date') }} / 365.25e0 as end_years
    from emigrations
    join populations
        on
            emigrations.ref_area = populations.ref_area
            and emigrations.boundary_version = populations.boundary_version
            and emigrations.period_start_date > populations.first_census_date
            and emigrations.period_end_date <= populations.second_census_date
),

lived as (
    select
        *,
        case
            when growth_rate = 0 then cast(first_persons as double) * (end_years - start_years)
            else {{ rounded('cast(first_persons as double) * (exp(growth_rate * end_years) - exp(growth_rate * start_years)) / growth_rate') }}
        end as person_years
    from placed
)

{{ indicator_rows('lived', {
    'indicator': "'B07'", 'boundary_version': 'boundary_version',
    'source': "case when source = population_source then source else source || '+' || population_source end",
    'data_kind': weakest_kind('data_kind', 'population_kind'),
    'vintage': "case when vintage = population_vintage then vintage else vintage || '+' || population_vintage end",
    'obs_value': '1000 * obs_value / person_years', 'numerator': 'obs_value', 'denominator': 'person_years',
    'n_obs': 'n_obs', 'is_microdata': 'true', 'obs_status': 'obs_status',
    'standard_error': '1000 * standard_error / person_years', 'variance_basis': 'variance_basis',
    'degrees_of_freedom': 'degrees_of_freedom', 'ci_lower': '1000 * ci_lower / person_years', 'ci_upper': '1000 * ci_upper / person_years',
    'interval_kind': 'interval_kind', 'design_effect': 'design_effect', 'effective_records': 'effective_records',
}) }}
