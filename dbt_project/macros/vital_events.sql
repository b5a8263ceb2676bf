{# Registered births or deaths of a year, by area and sex of the usual residence. Registration that is not complete makes
   it another definition than that of all events. #}
{% macro vital_event_rows(indicator, event_type) -%}
with events as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date,
        case when grouping(area_code) = 1 then any_value(ref_country) else area_code end as area,
        case when grouping(sex) = 1 then '_T' else sex end as sex,
        grouping(area_code) = 1 as is_whole_country,
        count(*) as events_count,
        min(coverage_percent) as coverage_percent
    from {{ ref('fct_vital_events') }}
    where event_type = '{{ event_type }}'
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, sex),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, area_code),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, period_start_date, period_end_date, area_code, sex)
    )
),

placed as (
    select
        events.*,
        case when is_whole_country then '_Z' else coalesce(areas.boundary_version, '_Z') end as boundary_version
    from events
    left join (select area_code, max(boundary_version) as boundary_version from {{ ref('dim_area') }} group by area_code) as areas
        on events.area = areas.area_code
    where events.area != '_U'
)

{{ indicator_rows('placed', {
    'indicator': "'" ~ indicator ~ "'", 'ref_area': 'area', 'sex': 'sex', 'boundary_version': 'boundary_version',
    'obs_value': 'events_count', 'n_obs': 'events_count', 'is_microdata': 'true',
    'obs_status': "case when coverage_percent < 100 then 'D' else 'A' end",
}) }}
{%- endmacro %}

{# What is left of the change between two censuses (int_population__balance) once births and deaths are taken off, as a
   figure of each area. Registration that is not complete makes it another definition, and unreliable. #}
{% macro residual_migration_rows(indicator, value, numerator='null', denominator='null') -%}
with balances as (
    select
        *,
        case when area_code = '_T' then ref_country else area_code end as area,
        cast(year(second_census_date) as string) as census_year
    from {{ ref('int_population__balance') }}
)

{{ indicator_rows('balances', {
    'indicator': "'" ~ indicator ~ "'", 'freq': "'A'", 'time_period': 'census_year', 'period_start_date': 'first_census_date',
    'period_end_date': 'second_census_date', 'ref_area': 'area', 'boundary_version': 'boundary_version',
    'obs_value': value, 'numerator': numerator, 'denominator': denominator, 'n_obs': 'records', 'is_microdata': 'true',
    'obs_status': "case when coverage_percent < 100 then 'D;U' else 'A' end",
}) }}
{%- endmacro %}
