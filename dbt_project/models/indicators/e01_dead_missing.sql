-- SDG 10.7.3. A minimum: what the project's sources reported. The last month at hand may still grow, so it is provisional.
with incidents as (
    select
        source, data_kind, vintage, duration_rule, universe, country_code,
        cast(extract(year from incident_date) as integer) as reference_year,
        dead_missing_persons,
        max(incident_date) over (partition by source, vintage) as last_date
    from {{ ref('fct_incidents') }}
),

years as (
    select
        source, data_kind, vintage, duration_rule, universe, country_code, reference_year,
        sum(dead_missing_persons) as dead_missing_persons,
        bool_or(last_date < {{ year_end('reference_year') }}) as is_partial
    from incidents
    group by source, data_kind, vintage, duration_rule, universe, country_code, reference_year
)

{{ indicator_rows('years', dict(
    yearly('E01', 'country_code', 'dead_missing_persons'), obs_status="case when is_partial then 'D;P' else 'D' end"
)) }}
