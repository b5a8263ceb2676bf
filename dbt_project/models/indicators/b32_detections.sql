-- Detections at the external border, by nationality and route: of each month, and of each year of which all months are in.
with cells as (
    select * from {{ ref('fct_mirror_cells') }}
    where measure = 'DETECTIONS' and left(country_of_citizenship_code, 1) != '_'
),

whole_years as (
    select source, vintage, universe, duration_rule, reference_year from {{ ref('fct_mirror_cells') }}
    where measure = 'DETECTIONS'
    group by source, vintage, universe, duration_rule, reference_year
    having count(distinct reference_month) = 12
),

dated as (
    select
        {{ all_but('freq, time_period, reference_start_date, reference_end_date', 'cells') }},
        'M' as freq,
        left(cast(cells.reference_month as string), 7) as time_period,
        cells.reference_start_date,
        cells.reference_end_date
    from cells
    union all
    select
        {{ all_but('freq, time_period, reference_start_date, reference_end_date', 'cells') }},
        'A' as freq,
        cast(cells.reference_year as string) as time_period,
        {{ year_start('cells.reference_year') }} as reference_start_date,
        {{ year_end('cells.reference_year') }} as reference_end_date
    from cells
    join whole_years using (source, vintage, universe, duration_rule, reference_year)
),

sums as (
    select
        source, data_kind, vintage, duration_rule, universe, freq, time_period,
        reference_start_date, reference_end_date,
        country_of_citizenship_code,
        case when grouping(border_route) = 1 then '_T' else border_route end as border_route,
        sum(observed_value) as detections
    from dated
    group by grouping sets (
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, reference_start_date, reference_end_date,
            country_of_citizenship_code),
        (source, data_kind, vintage, duration_rule, universe, freq, time_period, reference_start_date, reference_end_date,
            country_of_citizenship_code, border_route)
    )
)

{{ indicator_rows('sums', {
    'indicator': "'B32'",
    'period_start_date': 'reference_start_date', 'period_end_date': 'reference_end_date',
    'ref_area': 'country_of_citizenship_code', 'counterpart_area': "'_T'",
    'border_route': 'border_route', 'obs_value': 'detections',
}) }}
