-- Cells of the tables that other countries' statistics are published in, as they are published: totals stay apart from
-- parts (_T, _W), and what a source sends as a group of countries does not get here. One table may hold measures of several
-- universes: citizens, and persons born in the country.
with sent as (
    select * from {{ ref('feed_mirror_cells') }}
),

batches as (
    select * from {{ ref('stg_batches') }}
),

dated as (
    select
        {{ all_but('reference_year', 'sent') }},
        coalesce(sent.reference_year, cast(year(sent.reference_month) as bigint)) as reference_year,
        measures.measure_type as cell_measure_type,
        nullif(measures.universe, '') as measure_universe,
        case measures.clock when 'MONTH' then 'M' else 'A' end as cell_freq,
        case measures.clock
            when 'MONTH' then sent.reference_month
            when 'DEC31' then {{ year_end('sent.reference_year') }}
            else {{ year_start('sent.reference_year') }}
        end as reference_start_date,
        case measures.clock
            when 'MONTH' then last_day(sent.reference_month)
            when 'JAN1' then {{ year_start('sent.reference_year') }}
            else {{ year_end('sent.reference_year') }}
        end as reference_end_date
    from sent
    join {{ ref('mirror_measures') }} as measures on sent.measure = measures.measure
),

cells as (
    select
        dated.source,
        dated.entity,
        dated.period,
        dated.batch_id,
        dated.layout,
        dated.record_no,
        {{ batch_columns('batches', {'universe': 'coalesce(dated.measure_universe, batches.universe)'}) }}
        dated.dataset_code,
        dated.measure,
        dated.cell_measure_type,
        dated.cell_freq,
        dated.reference_year,
        dated.reference_month,
        dated.reference_start_date,
        dated.reference_end_date,
        dated.reporting_country_code,
        coalesce(dated.country_of_citizenship_code, '_W') as country_of_citizenship_code,
        coalesce(dated.country_of_birth_code, '_W') as country_of_birth_code,
        {%- for name in [
            'sex', 'age', 'reason_code', 'permit_duration', 'ground_code', 'place_code', 'applicant_type', 'border_route',
        ] %}
        coalesce(dated.{{ name }}, '_T') as {{ name }},
        {%- endfor %}
        dated.unit_measure,
        dated.observed_value,
        dated.value_missing,
        dated.conf_status,
        coalesce(dated.rounding_base, 1) as rounding_base,
        case when dated.observed_value is null then 'O' else coalesce(dated.obs_status, 'A') end as obs_status
    from dated
    join batches on dated.batch_id = batches.batch_id and dated.entity = batches.entity
)

select * from cells
